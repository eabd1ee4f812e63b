#include "plugins/host_metrics/host_table.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

using Json = nlohmann::json;

namespace {

std::string first_line(proc::Buffer& buffer, const std::string& path) {
  const proc::Text text = buffer.read(path.c_str());
  return text.ok() ? std::string(text.text.substr(0, text.text.find('\n'))) : std::string();
}

// Calls `visit` with the path and each of those around it, "/a/b", "/a", "".
template <typename Visit>
void upwards(std::string path, Visit&& visit) {
  while (path.ends_with('/')) path.pop_back();
  while (true) {
    visit(path);
    if (path.empty()) return;
    path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

void tighten(std::optional<double>& quota, std::optional<double> allowed,
             std::optional<double> period) {
  if (!allowed || !period || *allowed <= 0 || *period <= 0) return;
  const double processors = *allowed / *period;
  quota = quota ? std::min(*quota, processors) : processors;
}

}  // namespace

Rows describe_machine(const proc::Root& root) {
  proc::Buffer buffer;
  Rows rows;
  if (std::string kernel = first_line(buffer, root.proc + "/sys/kernel/osrelease");
      !kernel.empty()) {
    rows.emplace_back("kernel", std::move(kernel));
  }
  const proc::Text text = buffer.read((root.proc + "/cpuinfo").c_str());
  std::string_view rest = text.text;
  while (!rest.empty()) {
    const std::string_view line = proc::next_line(rest);
    const size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string_view::npos) continue;
    rows.emplace_back("processor", std::string(line.substr(colon + 2)));
    break;
  }
  return rows;
}

std::optional<double> cpu_quota_v2(const proc::Root& root, const std::string& path) {
  proc::Buffer buffer;
  std::optional<double> quota;
  upwards(path, [&](const std::string& at) {
    for (const char* mount : {"/fs/cgroup", "/fs/cgroup/unified"}) {
      const std::string line = first_line(buffer, root.sys + mount + at + "/cpu.max");
      std::string_view rest = line;  // "150000 100000", or "max 100000"
      const auto allowed = proc::next_number<double>(rest);
      tighten(quota, allowed, proc::next_number<double>(rest));
    }
  });
  return quota;
}

std::optional<double> cpu_quota_v1(const proc::Root& root, const std::string& path) {
  proc::Buffer buffer;
  std::optional<double> quota;
  upwards(path, [&](const std::string& at) {
    for (const char* mount : {"/fs/cgroup/cpu", "/fs/cgroup/cpu,cpuacct"}) {
      const std::string base = root.sys + mount + at;
      const auto allowed = proc::to_number<double>(first_line(buffer, base + "/cpu.cfs_quota_us"));
      tighten(quota, allowed,
              proc::to_number<double>(first_line(buffer, base + "/cpu.cfs_period_us")));
    }
  });
  return quota;
}

Rows describe_cgroup(const proc::Root& root, proc::Pid pid) {
  proc::Buffer buffer;
  const proc::Text text = buffer.read(root.of(pid, "cgroup").c_str());
  if (!text.ok()) return {};
  const std::string content(text.text);
  std::string_view rest = content;
  std::string unified;
  std::string cpu;
  while (!rest.empty()) {
    // "0::/system.slice/shop.service" or "3:cpu,cpuacct:/shop"
    const std::string_view line = proc::next_line(rest);
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (line.starts_with("0::")) unified = path;
    if (controllers == "cpu" || controllers.starts_with("cpu,")) cpu = path;
  }
  Rows rows;
  const bool v1 = !cpu.empty();
  if (!v1 && unified.empty()) return rows;
  rows.emplace_back("target cgroup", v1 ? cpu + " (version 1)" : unified);
  const auto quota = v1 ? cpu_quota_v1(root, cpu) : cpu_quota_v2(root, unified);
  if (quota) {
    char digits[48];
    std::snprintf(digits, sizeof(digits), "%.2f processors", *quota);
    rows.emplace_back("target processor quota", digits);
  } else {
    rows.emplace_back("target processor quota", "none");
  }
  return rows;
}

std::string host_table_json(const Rows& rows, const Problems& problems) {
  Json out_rows = Json::array();
  for (const auto& [key, value] : rows) out_rows.push_back({key, value});
  for (const auto& [subject, sentence] : problems.all()) {
    out_rows.push_back({"cannot see", sentence});
  }
  const Json table = {
      {"title", "Host"},
      {"columns", {{{"key", "key"}, {"title", "What"}}, {{"key", "value"}, {"title", "Value"}}}},
      {"rows", out_rows}};
  return table.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace plumb::host_metrics
