// Processor time of a group of processes that need no closer look (the database's, plumb's own), as
// a total that never falls while they come and go. One read per process. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_GROUP_CPU_H_
#define PLUMB_PLUGINS_HOST_METRICS_GROUP_CPU_H_

#include <cstdint>
#include <map>
#include <span>

#include "plugins/host_metrics/monotonic.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class GroupCpu {
 public:
  // With `kReaped`, what children used that came and went between two readings is counted through
  // their parents. Without: for a group whose children belong to somebody else.
  enum Children { kNotReaped, kReaped };
  GroupCpu(proc::Root root, Children children) : root_(std::move(root)), children_(children) {}

  // Ticks used since each process was first seen, or since its birth when `born_since_ticks` (of
  // the time since boot; 0: none) is not after it. `pids` ascending.
  uint64_t update(std::span<const proc::Pid> pids, uint64_t born_since_ticks);

 private:
  struct Process {
    proc::KeptFile stat;
    uint64_t start_ticks = 0;
    proc::Pid parent = 0;
    uint64_t ticks = 0;
    uint64_t reaped = 0;
    bool seen = false;
  };
  proc::Root root_;
  Children children_;
  proc::Buffer buffer_;
  std::map<proc::Pid, Process> processes_;
  ReapedBalance reaped_;
  uint64_t total_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_GROUP_CPU_H_
