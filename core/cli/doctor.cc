#include "core/cli/doctor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "core/engine/engine.h"
#include "core/plan/quantity.h"

namespace plumb::cli {
namespace {

std::optional<std::string> first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  return line;
}

std::optional<int64_t> number_in(const std::filesystem::path& file) {
  const auto line = first_line(file);
  return line ? plan::parse_integer(*line) : std::nullopt;
}

Check check_release(const std::filesystem::path& root) {
  const auto release = first_line(root / "proc/sys/kernel/osrelease");
  Check out{"kernel", CheckState::kOk, release.value_or("unknown"), ""};
  const int64_t major = plan::parse_integer(out.found.substr(0, out.found.find('.'))).value_or(0);
  if (major >= 5) return out;
  out.state = CheckState::kMissing;
  out.fix = "plumb is made for Linux 5 and later; some figures will be absent";
  return out;
}

Check check_schedstat(const std::filesystem::path& root) {
  const auto line = first_line(root / "proc/self/schedstat");
  const bool counts = line && !line->starts_with("0 0 ");
  return {
      "run-queue delay (schedstat)", counts ? CheckState::kOk : CheckState::kMissing,
      counts ? "counted" : "not counted",
      counts ? "" : "needs a kernel with CONFIG_SCHED_INFO; CPU saturation is then only guessed"};
}

Check check_pressure(const std::filesystem::path& root) {
  const bool there = first_line(root / "proc/pressure/cpu").has_value();
  return {"pressure stall information", there ? CheckState::kOk : CheckState::kMissing,
          there ? "readable" : "absent",
          there ? "" : "boot with psi=1, or use a kernel with CONFIG_PSI"};
}

Check check_delay_accounting(const std::filesystem::path& root) {
  const auto on = number_in(root / "proc/sys/kernel/task_delayacct");
  const bool counts = on.value_or(0) == 1;
  return {"delay accounting", counts ? CheckState::kOk : CheckState::kMissing,
          counts ? "on"
          : on   ? "off"
                 : "absent",
          counts ? "" : "sysctl kernel.task_delayacct=1; block I/O waits per process need it"};
}

Check check_ptrace(const std::filesystem::path& root) {
  const int64_t scope = number_in(root / "proc/sys/kernel/yama/ptrace_scope").value_or(0);
  const bool may = scope == 0 || ::geteuid() == 0;
  return {
      "reading other processes", may ? CheckState::kOk : CheckState::kMissing,
      "ptrace_scope " + std::to_string(scope),
      may ? ""
          : "run plumb as the service's user with sysctl kernel.yama.ptrace_scope=0, or give it "
            "CAP_SYS_PTRACE"};
}

Check check_perf(const std::filesystem::path& root) {
  const auto level = number_in(root / "proc/sys/kernel/perf_event_paranoid");
  const bool may = (level && *level <= 1) || (level && ::geteuid() == 0);
  return {"stack profiles (perf events)", may ? CheckState::kOk : CheckState::kMissing,
          level ? "perf_event_paranoid " + std::to_string(*level) : "absent",
          may ? "" : "sysctl kernel.perf_event_paranoid=1, or give plumb-host CAP_PERFMON"};
}

Check check_descriptors() {
  constexpr rlim_t kWanted = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return {"file descriptors", CheckState::kMissing, "unknown", ""};
  const bool enough = limit.rlim_cur >= kWanted;
  return {"file descriptors", enough ? CheckState::kOk : CheckState::kMissing,
          std::to_string(limit.rlim_cur),
          enough ? "" : "ulimit -n 4096 or more; every connection of the load needs one"};
}

Check check_run_dir(const std::filesystem::path& run_dir) {
  std::filesystem::path at = std::filesystem::absolute(run_dir);
  std::error_code error;
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  const bool may = ::access(at.c_str(), W_OK | X_OK) == 0;
  return {"run directory", may ? CheckState::kOk : CheckState::kBroken, run_dir.string(),
          may ? "" : at.string() + " cannot be written to; set run_dir or PLUMB_RUN_DIR"};
}

Check check_plugin(const engine::Examined& plugin) {
  Check out{"plugin " + plugin.plugin, CheckState::kOk, "sees everything", ""};
  if (plugin.role != PLUMB_ROLE_SAMPLER) out.found = "takes its configuration";
  if (!plugin.status.is_ok()) {
    out.state = CheckState::kBroken;
    out.found = "does not work";
    out.fix = plugin.status.message();
  } else if (plugin.health != PLUMB_HEALTH_OK) {
    out.state = CheckState::kMissing;
    out.found = plugin.health == PLUMB_HEALTH_DARK ? "sees nothing" : "sees part";
    out.fix = plugin.message;
  }
  return out;
}

// The rows of a plugin's table of what it misses: what, why, and how to switch it on; but for those
// that the plugin's own words, `said`, tell already.
std::vector<Check> missing_abilities(const TableRecord& table, const std::string& said) {
  std::vector<Check> out;
  const auto content = nlohmann::json::parse(table.json, nullptr, false);
  if (!content.is_object() || !content.contains("rows") || !content["rows"].is_array()) return out;
  for (const auto& row : content["rows"]) {
    const auto cell = [&](size_t i) {
      return row.is_array() && row.size() > i && row[i].is_string() ? row[i].get<std::string>()
                                                                    : std::string();
    };
    const auto is_said = [&](size_t i) { return said.find(cell(i)) != std::string::npos; };
    if (is_said(0) && is_said(1) && is_said(2)) continue;
    out.push_back({table.plugin + ": " + cell(0), CheckState::kMissing, cell(1), cell(2)});
  }
  return out;
}

}  // namespace

std::vector<Check> check_plan(const engine::Examination& examination) {
  std::vector<Check> out;
  const bool answers = examination.target.is_ok();
  out.push_back({"target", answers ? CheckState::kOk : CheckState::kBroken,
                 answers ? "answers" : "does not answer",
                 answers ? "" : examination.target.message()});
  for (const engine::Examined& plugin : examination.plugins) {
    out.push_back(check_plugin(plugin));
    for (const TableRecord& table : examination.tables) {
      if (table.plugin != plugin.plugin || !table.name.ends_with("_missing")) continue;
      for (Check& check : missing_abilities(table, plugin.message)) out.push_back(std::move(check));
    }
  }
  return out;
}

std::vector<Check> check_kernel(const std::filesystem::path& root) {
  return {check_release(root),          check_schedstat(root), check_pressure(root),
          check_delay_accounting(root), check_ptrace(root),    check_perf(root)};
}

std::vector<Check> check_installation(const engine::Catalog& catalog,
                                      const std::filesystem::path& run_dir) {
  std::vector<Check> out = {check_descriptors(), check_run_dir(run_dir)};
  const auto host = engine::find_host_executable();
  out.push_back({"plumb-host", host.is_ok() ? CheckState::kOk : CheckState::kBroken,
                 host.is_ok() ? host->string() : "absent",
                 host.is_ok() ? "" : host.status().message()});
  std::string names;
  bool has_load = false;
  for (const engine::CatalogEntry& entry : catalog.entries()) {
    names += (names.empty() ? "" : ", ") + entry.manifest.name;
    has_load = has_load || entry.manifest.role == PLUMB_ROLE_LOAD;
  }
  std::string places;
  for (const auto& directory : catalog.directories())
    places += (places.empty() ? "" : ", ") + directory.string();
  out.push_back({"plugins", has_load ? CheckState::kOk : CheckState::kBroken,
                 names.empty() ? "none" : names,
                 has_load ? "" : "no load plugin in " + places + "; set PLUMB_PLUGIN_PATH"});
  for (const engine::Refusal& refusal : catalog.refusals())
    out.push_back({refusal.path.filename().string(), CheckState::kMissing,
                   refusal.path.string() + " was not taken", refusal.why.message()});
  return out;
}

}  // namespace plumb::cli
