// Reads the machine's processors, memory and disks and hands them to an outlet. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_
#define PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/host_metrics/block_devices.h"
#include "plugins/host_metrics/bounded_names.h"
#include "plugins/host_metrics/cpu_frequency.h"
#include "plugins/host_metrics/machine.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/pace.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class MachineSampler {
 public:
  explicit MachineSampler(const proc::Root& root);

  // At every look, which stands for `span_ns`: how many tasks can run, and, if asked for, whether
  // any waited for a disk.
  void tick(bool disk_waits, int64_t span_ns);
  // Between looks: whether tasks came or went, and nothing else.
  void watch_tasks();
  // Whether tasks came or went since the call before; true when unknown.
  bool take_tasks_changed() { return std::exchange(tasks_changed_, false); }
  // Whether since the tick before a task of this machine waited for a disk; true when unknown.
  bool disk_was_waited_for() const { return disk_was_waited_for_; }
  // Once per second: everything else. A source that cannot be read adds nothing but a problem.
  void emit(int64_t now_ns, Outlet& outlet, Problems& problems);

  // As of the last emit that could read it.
  const std::optional<CpuTicks>& cpu() const { return cpu_; }
  const std::optional<Memory>& memory() const { return memory_; }

 private:
  void note_tasks(std::string_view loadavg);
  void emit_cores(std::string_view stat, int64_t now_ns, Outlet& outlet);
  void emit_paging(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_cpu(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_memory(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_pressure(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_disks(int64_t now_ns, Outlet& outlet, Problems& problems);

  proc::Buffer buffer_;
  proc::KeptFile stat_, loadavg_, meminfo_, vmstat_, diskstats_, io_pressure_;
  std::array<proc::KeptFile, 3> pressure_;
  std::optional<CpuTicks> cpu_;
  std::optional<Memory> memory_;
  std::vector<CoreTicks> cores_, cores_before_;
  struct DiskBefore {
    Disk disk;
    int64_t time_ns;
  };
  std::map<std::string, DiskBefore> disks_;
  BlockDevices block_devices_;
  BoundedNames disk_names_;
  CpuFrequency frequency_;
  Pace frequency_pace_;
  std::optional<uint64_t> io_waited_us_;
  bool disk_was_waited_for_ = true;
  std::string tasks_;  // how many there are and the last one's number
  bool tasks_changed_ = true;
  // Over the looks, each times what it stands for, and what they stand for in all.
  double runnable_sum_ = 0;
  double runnable_span_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_
