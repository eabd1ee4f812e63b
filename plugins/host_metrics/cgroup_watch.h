// What the target's control groups say of it: how long its quota held it back, its memory and the
// limit on it, its storage bytes, its pressure. Totals count from the first look and never fall,
// whatever becomes of the groups. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_CGROUP_WATCH_H_
#define PLUMB_PLUGINS_HOST_METRICS_CGROUP_WATCH_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/host_metrics/cgroup.h"
#include "plugins/host_metrics/machine.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

// Absent: no group tells, or the target is in none but the machine's.
struct CgroupTotals {
  std::optional<double> quota_processors;  // the tightest on the way up
  std::optional<Throttling> throttling;    // in each look, of the level that was held back longest
  std::optional<uint64_t> memory_bytes;    // at the level with the tightest limit, else its own
  std::optional<uint64_t> memory_limit_bytes;
  std::optional<MemoryEvents> memory_events;
  std::optional<proc::StorageBytes> io;
  std::array<std::optional<Pressure>, 3> pressure;  // cpu, memory, io
};

class CgroupWatch {
 public:
  explicit CgroupWatch(proc::Root root) : root_(std::move(root)) {}

  // `pid`: a process of the target, or 0 while there is none.
  CgroupTotals update(proc::Pid pid);

  // A sentence, once after the target's group vanished under it or changed.
  std::string take_change() { return std::exchange(change_, {}); }
  const CgroupPaths& paths() const { return paths_; }

 private:
  // A counter of a file that may be another file tomorrow: only growth is added up.
  struct Growth {
    std::optional<uint64_t> last;
    uint64_t total = 0;
    uint64_t add(uint64_t now);  // what it grew by
  };
  struct CpuLevel {
    proc::KeptFile stat;
    Growth periods, throttled, throttled_ns;
  };
  void resolve(proc::Pid pid);
  void update_cpu(CgroupTotals& out);
  void update_memory(CgroupTotals& out);
  void update_io(CgroupTotals& out);
  void update_pressure(CgroupTotals& out);
  std::optional<uint64_t> number(proc::KeptFile& file);

  proc::Root root_;
  proc::Buffer buffer_;
  CgroupPaths paths_;
  proc::Pid pid_ = 0;
  int until_resolve_ = 0;  // updates
  std::string change_;

  std::vector<CpuLevel> cpu_;
  std::optional<double> quota_;
  Throttling throttling_;
  bool cpu_known_ = false;
  bool cpu_seen_ = false;  // at the last update

  proc::KeptFile memory_current_, memory_events_, memory_failures_;
  std::optional<uint64_t> memory_limit_;
  bool memory_version2_ = false;
  std::array<Growth, 4> memory_growth_;

  proc::KeptFile io_;
  bool io_version2_ = false;
  Growth read_, written_;

  std::array<proc::KeptFile, 3> pressure_;
  std::array<Growth, 3> some_, full_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_CGROUP_WATCH_H_
