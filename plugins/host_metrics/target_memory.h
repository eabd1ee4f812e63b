// The target's memory as the kernel sums it up per process: shared pages counted in parts, and what
// is in swap. Dear to read, so one process at a time, one whose resident memory changed since or
// that was not read for long, at a pace set by what it costs; processes
// above 1 GiB are left alone, for the kernel holds them up while it counts. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_MEMORY_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_MEMORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "plugins/host_metrics/pace.h"
#include "plugins/host_metrics/target_usage.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

struct SharedMemory {
  uint64_t proportional_bytes = 0;
  uint64_t swap_bytes = 0;
};
// /proc/PID/smaps_rollup; nothing when it is torn.
std::optional<SharedMemory> parse_smaps_rollup(std::string_view text);

class TargetMemory {
 public:
  explicit TargetMemory(proc::Root root);
  // Reads the process whose turn it is, if that is due.
  void update(int64_t now_ns, std::span<const ProcessUse> processes);
  // Over all processes; absent until each was read once, and when one of them may not be.
  std::optional<SharedMemory> total(std::span<const ProcessUse> processes) const;
  bool due(int64_t now_ns) const { return pace_.due(now_ns); }

 private:
  struct Known {
    uint64_t start_ticks = 0;
    uint64_t turn = 0;
    uint64_t resident_bytes = 0;
    int64_t read_ns = 0;
    std::optional<SharedMemory> memory;
  };
  proc::Root root_;
  proc::Buffer buffer_;
  Pace pace_;
  uint64_t turns_ = 0;
  std::map<proc::Pid, Known> known_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_MEMORY_H_
