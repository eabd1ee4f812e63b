// Processor time of PostgreSQL backends as this machine's kernel counts it.
#ifndef PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_
#define PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "plugins/proc/stat.h"

namespace plumb::pg_stats {

// What /proc says of the server's processes, each of which has one thread. Not thread-safe.
class BackendProcesses {
 public:
  explicit BackendProcesses(proc::Root root) : root_(std::move(root)) {}
  // None when the process is gone, hidden, or the kernel keeps no schedstat.
  std::optional<proc::SchedStat> times(proc::Pid pid);
  // Whether process `pid` is a server process of PostgreSQL that serves `database`. A pid that the
  // server reported from another namespace or machine names nobody here, or somebody else.
  bool is_backend_of(proc::Pid pid, const std::string& database);

 private:
  proc::Root root_;
  proc::Buffer buffer_;
};

// Sums the times of backends that come and go into totals that never fall. Not thread-safe.
class BackendTimes {
 public:
  explicit BackendTimes(proc::Root root) : processes_(std::move(root)) {}
  // `pids` are the backends that live now. What a backend used before the first update is left
  // out; one that appears later counts from its birth; one that ends keeps what was last seen.
  void update(std::span<const int> pids);
  // The backends of the next update are another server's: what they used before is left out, too.
  void restart();
  double cpu_seconds() const { return static_cast<double>(run_ns_) / 1e9; }
  double runqueue_seconds() const { return static_cast<double>(wait_ns_) / 1e9; }

 private:
  BackendProcesses processes_;
  std::unordered_map<proc::Pid, proc::SchedStat> last_;
  uint64_t run_ns_ = 0;
  uint64_t wait_ns_ = 0;
  bool first_ = true;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_
