#include <cstdint>
#include <nlohmann/json.hpp>

#include "plugins/proc/fields.h"
#include "plugins/proc/processes.h"

namespace plumb::proc {

namespace {

using nlohmann::json;

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

std::optional<int> whole_number(const json& value) {
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    if (number < 0 || number > INT32_MAX) return std::nullopt;
    return static_cast<int>(number);
  }
  if (value.is_string()) return to_number<int>(value.get_ref<const std::string&>());
  return std::nullopt;
}

Result<Selector> from_process(const json& process) {
  Selector out;
  if (!process.is_object()) {
    return Status::invalid_argument(
        "target.process must be an object with port, pid, name or cgroup");
  }
  if (const auto it = process.find("port"); it != process.end() && !it->is_null()) {
    out.port = whole_number(*it);
    if (!out.port || *out.port < 1 || *out.port > 65535) {
      return Status::invalid_argument("target.process.port must be a TCP port, 1 to 65535");
    }
  } else if (const auto pid = process.find("pid"); pid != process.end() && !pid->is_null()) {
    out.pid = whole_number(*pid);
    if (!out.pid || *out.pid < 1) {
      return Status::invalid_argument("target.process.pid must be a process id, 1 or more");
    }
  } else if (const auto name = process.find("name"); name != process.end() && name->is_string() &&
                                                     !name->get_ref<const std::string&>().empty()) {
    out.name = name->get<std::string>();
  } else if (const auto group = process.find("cgroup");
             group != process.end() && group->is_string()) {
    out.cgroup = group->get<std::string>();
    if (out.cgroup.find("..") != std::string::npos) {
      return Status::invalid_argument("target.process.cgroup must not hold '..'");
    }
  }
  return out;
}

}  // namespace

Result<Selector> selector_from_document(std::string_view document) {
  const json root = json::parse(document, nullptr, false);
  if (!root.is_object()) {
    return Status::invalid_argument("the configuration document is not a JSON object");
  }
  const auto target = root.find("target");
  if (target == root.end() || !target->is_object()) return Selector{};
  if (const auto process = target->find("process");
      process != target->end() && !process->is_null()) {
    PLUMB_ASSIGN_OR_RETURN(Selector out, from_process(*process));
    if (!out.empty()) return out;
  }
  Selector out;
  const auto host = target->find("host");
  const auto port = target->find("port");
  if (host == target->end() || !host->is_string() || port == target->end()) return out;
  if (!is_loopback(host->get_ref<const std::string&>())) return out;
  const auto number = whole_number(*port);
  if (number && *number >= 1 && *number <= 65535) out.port = number;
  return out;
}

std::string Selector::describe() const {
  if (port) return "the process that listens on port " + std::to_string(*port);
  if (pid) return "process " + std::to_string(*pid);
  if (!name.empty()) return "a process named '" + name + "'";
  if (!cgroup.empty()) return "a process in cgroup '" + cgroup + "'";
  return "no process";
}

}  // namespace plumb::proc
