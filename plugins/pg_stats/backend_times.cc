#include "plugins/pg_stats/backend_times.h"

#include <string_view>

#include "plugins/proc/processes.h"

namespace plumb::pg_stats {

std::optional<proc::SchedStat> BackendProcesses::times(proc::Pid pid) {
  return proc::read_task_schedstat(root_, pid, pid, buffer_);
}

bool BackendProcesses::is_backend_of(proc::Pid pid, const std::string& database) {
  const std::optional<proc::Stat> stat = proc::read_stat(root_, pid, buffer_);
  if (!stat || stat->comm != "postgres") return false;
  // "postgres: [cluster: ]user database host(port) state", unless update_process_title is off at
  // the start, which leaves the postmaster's command line.
  const proc::Text title = buffer_.read(root_.of(pid, "cmdline").c_str());
  if (!title.ok() || !title.text.starts_with("postgres: ")) return true;
  return title.text.find(" " + database + " ") != std::string_view::npos;
}

void BackendTimes::update(std::span<const int> pids) {
  std::unordered_map<proc::Pid, proc::SchedStat> now;
  now.reserve(pids.size());
  for (const int pid : pids) {
    const std::optional<proc::SchedStat> times = processes_.times(pid);
    if (!times) continue;
    proc::SchedStat before;
    if (const auto known = last_.find(pid); known != last_.end()) {
      before = known->second;
      // The pid was given to a new process, which counts from its birth.
      if (times->run_ns < before.run_ns) before = {};
    } else if (first_) {
      before = *times;
    }
    run_ns_ += times->run_ns - before.run_ns;
    if (times->wait_ns > before.wait_ns) wait_ns_ += times->wait_ns - before.wait_ns;
    now.emplace(pid, *times);
  }
  last_ = std::move(now);
  first_ = false;
}

void BackendTimes::restart() {
  last_.clear();
  first_ = true;
}

}  // namespace plumb::pg_stats
