#include "plugins/host_metrics/process_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace plumb::host_metrics {

using Json = nlohmann::json;

namespace {

constexpr size_t kMostRows = 40;
constexpr size_t kMostTargetRows = 20;
constexpr uint64_t kMostThreads = 64;  // beyond, a process's run-queue share costs too much to read

// Enough digits for a share of a processor, and no more bytes than that in the run file.
double rounded(double share) { return std::round(share * 1e4) / 1e4; }

}  // namespace

std::optional<uint64_t> ProcessTable::runqueue_ns(const proc::Stat& stat) {
  // Kernel threads have no memory of their own and are not worth two reads each.
  if (stat.threads > kMostThreads || stat.resident_pages == 0) return std::nullopt;
  uint64_t sum = 0;
  bool any = false;
  for (const proc::Pid tid : proc::list_tasks(root_, stat.pid)) {
    const auto s = proc::read_task_schedstat(root_, stat.pid, tid, buffer_);
    if (!s) continue;
    sum += s->wait_ns;
    any = true;
  }
  return any ? std::optional(sum) : std::nullopt;
}

void ProcessTable::begin(const proc::ProcessList& list, int64_t now_ns) {
  base_.clear();
  for (const auto& [pid, stat] : list.all()) {
    base_[pid] = {stat.start_ticks, stat.user_ticks + stat.system_ticks, runqueue_ns(stat)};
  }
  begin_ns_ = now_ns;
  begun_ = true;
}

std::string ProcessTable::json(const proc::ProcessList& list, const Roles& roles, int64_t now_ns) {
  struct Row {
    const proc::Stat* stat;
    Role role;
    uint64_t ticks;
  };
  std::vector<Row> rows;
  for (const auto& [pid, stat] : list.all()) {
    const auto base = base_.find(pid);
    const bool same = base != base_.end() && base->second.start_ticks == stat.start_ticks;
    const uint64_t before = same ? base->second.cpu_ticks : 0;
    const uint64_t total = stat.user_ticks + stat.system_ticks;
    rows.push_back({&stat, roles.of(pid), total > before ? total - before : 0});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.ticks != b.ticks ? a.ticks > b.ticks : a.stat->pid < b.stat->pid;
  });
  size_t targets = std::min(
      kMostTargetRows,
      static_cast<size_t>(std::count_if(rows.begin(), rows.end(),
                                        [](const Row& r) { return r.role == Role::kTarget; })));
  size_t others = kMostRows - targets;

  const double seconds = static_cast<double>(now_ns - begin_ns_) / 1e9;
  Json out_rows = Json::array();
  for (const Row& row : rows) {
    size_t& left = row.role == Role::kTarget ? targets : others;
    if (left == 0 || (row.role != Role::kTarget && row.ticks == 0)) continue;
    --left;
    Json cpu = nullptr;
    Json runqueue = nullptr;
    if (seconds > 0) {
      cpu = rounded(static_cast<double>(row.ticks) / static_cast<double>(proc::ticks_per_second()) /
                    seconds);
      const auto base = base_.find(row.stat->pid);
      const bool same = base != base_.end() && base->second.start_ticks == row.stat->start_ticks;
      const auto before = same ? base->second.runqueue_ns : std::optional<uint64_t>(0);
      const auto now = runqueue_ns(*row.stat);
      // Less than before: a thread that had waited has ended, and its part is unknown.
      if (before && now && *now >= *before) {
        runqueue = rounded(static_cast<double>(*now - *before) / 1e9 / seconds);
      }
    }
    out_rows.push_back({row.stat->pid, row.stat->comm, role_name(row.role), cpu, runqueue,
                        row.stat->resident_pages * proc::page_bytes()});
  }
  const Json table = {{"title", "Processes"},
                      {"columns",
                       {{{"key", "pid"}, {"title", "PID"}},
                        {{"key", "command"}, {"title", "Command"}},
                        {{"key", "role"}, {"title", "Role"}},
                        {{"key", "cpu"}, {"title", "CPU share"}, {"unit", "ratio"}},
                        {{"key", "runqueue"}, {"title", "Run-queue share"}, {"unit", "ratio"}},
                        {{"key", "resident"}, {"title", "Resident"}, {"unit", "bytes"}}}},
                      {"rows", out_rows}};
  // A command may hold any bytes.
  return table.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace plumb::host_metrics
