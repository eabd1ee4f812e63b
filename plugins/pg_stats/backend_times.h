// Processor time of PostgreSQL backends as this machine's kernel counts it.
#ifndef PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_
#define PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace plumb::pg_stats {

// From /proc/PID/schedstat: time on a processor, and runnable without one. Nanoseconds.
struct SchedTimes {
  uint64_t cpu_ns = 0;
  uint64_t runqueue_ns = 0;
};

// Reads a proc file system below `root` ("/proc", or a directory made by a test).
class ProcTree {
 public:
  explicit ProcTree(std::string root = "/proc") : root_(std::move(root)) {}
  // None when the process is gone, hidden, or the kernel keeps no schedstat.
  std::optional<SchedTimes> sched_times(int pid) const;
  // Whether process `pid` is a server process of PostgreSQL that serves `database`. A pid that the
  // server reported from another namespace or machine names nobody here, or somebody else.
  bool is_backend_of(int pid, const std::string& database) const;

 private:
  std::optional<std::string> read(int pid, const char* file) const;
  std::string root_;
};

// Sums the times of backends that come and go into totals that never fall. Not thread-safe.
class BackendTimes {
 public:
  // `pids` are the backends that live now. What a backend used before the first update is left
  // out; one that appears later counts from its birth; one that ends keeps what was last seen.
  void update(const ProcTree& proc, std::span<const int> pids);
  double cpu_seconds() const { return static_cast<double>(total_.cpu_ns) / 1e9; }
  double runqueue_seconds() const { return static_cast<double>(total_.runqueue_ns) / 1e9; }

 private:
  std::unordered_map<int, SchedTimes> last_;
  SchedTimes total_;
  bool first_ = true;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_BACKEND_TIMES_H_
