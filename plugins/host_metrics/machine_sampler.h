// Reads the machine's own counters and hands them to an outlet. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_
#define PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_

#include <array>
#include <optional>

#include "plugins/host_metrics/machine.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class MachineSampler {
 public:
  explicit MachineSampler(const proc::Root& root);

  // At every tick: how many tasks can run.
  void tick();
  // Once per second: everything else. A source that cannot be read adds nothing but a problem.
  void emit(int64_t now_ns, Outlet& outlet, Problems& problems);

  // As of the last emit that could read it.
  const std::optional<CpuTicks>& cpu() const { return cpu_; }
  const std::optional<Memory>& memory() const { return memory_; }

 private:
  void emit_cpu(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_memory(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_pressure(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_disks(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_network(int64_t now_ns, Outlet& outlet, Problems& problems);

  proc::Buffer buffer_;
  proc::KeptFile stat_, loadavg_, meminfo_, diskstats_, net_dev_, netstat_, snmp_;
  std::array<proc::KeptFile, 3> pressure_;
  std::optional<CpuTicks> cpu_;
  std::optional<Memory> memory_;
  uint64_t runnable_sum_ = 0;
  uint64_t runnable_samples_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_MACHINE_SAMPLER_H_
