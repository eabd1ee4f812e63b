#include "plugins/host_metrics/host_table.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "plugins/host_metrics/cgroup.h"
#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

using Json = nlohmann::json;

namespace {

std::string first_line(proc::Buffer& buffer, const std::string& path) {
  const proc::Text text = buffer.read(path.c_str());
  return text.ok() ? std::string(text.text.substr(0, text.text.find('\n'))) : std::string();
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

Rows describe_cgroup(const proc::Root& root, proc::Pid pid) {
  proc::Buffer buffer;
  const proc::Text text = buffer.read(root.of(pid, "cgroup").c_str());
  if (!text.ok()) return {};
  const CgroupPaths paths = parse_cgroup_paths(text.text);
  const CgroupLevels levels = find_levels(root, paths, Controller::kCpu);
  Rows rows;
  if (paths.cpu.empty() && paths.unified.empty()) return rows;
  rows.emplace_back("target cgroup",
                    paths.cpu.empty() ? paths.unified : paths.cpu + " (version 1)");
  if (const auto quota = quota_of(levels)) {
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
