// The sampler itself: every tick what can only be seen at an instant, every second the counters,
// every ten seconds the tables. See README.md for what is read and docs/signals.md for what comes
// out of it.
#ifndef PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_
#define PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_

#include <plumb/plugin.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/host_metrics/downstream.h"
#include "plugins/host_metrics/group_cpu.h"
#include "plugins/host_metrics/host_table.h"
#include "plugins/host_metrics/machine_sampler.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/host_metrics/process_table.h"
#include "plugins/host_metrics/roles.h"
#include "plugins/host_metrics/target_usage.h"
#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

class HostMetrics final : public Sampler {
 public:
  explicit HostMetrics(Host host);
  // For tests: where /proc is, where sockets come from, and which process this is.
  HostMetrics(Host host, proc::Root root, std::unique_ptr<SocketSource> sockets, proc::Pid self);

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;

 private:
  void tick(int64_t now_ns);
  void second(int64_t now_ns);
  void find_target();
  void note_change(const std::vector<proc::Pid>& pids);
  void emit_target(int64_t now_ns);
  void emit_others(int64_t now_ns);
  void emit_downstream(int64_t now_ns);
  void resolve_connections();
  void scan_descriptors();
  bool other_network();
  void emit_processes(int64_t now_ns);
  void emit_host_table();
  void report_problems();

  proc::Root root_;
  proc::Pid self_;
  Outlet outlet_;
  Problems problems_;
  MachineSampler machine_;

  proc::Selector selector_;
  proc::ProcessList processes_;
  std::optional<proc::TargetFinder> finder_;
  std::vector<proc::Pid> target_;  // ascending; empty while it is not found
  struct Identity {
    proc::Pid pid;
    uint64_t start_ticks;
    bool operator==(const Identity&) const = default;
  };
  std::vector<Identity> last_target_;  // the last one that was found
  bool lost_ = false;
  TargetUsage usage_;
  Roles roles_;

  GroupCpu plumb_cpu_, database_cpu_;
  struct Spent {
    double host = 0, target = 0, plumb = 0, database = 0;  // seconds
    double others() const { return host - target - plumb - database; }
  };
  std::optional<Spent> spent_;  // at the last second in which the target was known
  double target_cpu_seconds_ = 0;
  double others_raw_ = 0;  // may dip: its parts are counted by different clocks
  double others_ = 0;
  uint64_t last_second_ticks_ = 0;

  Downstream downstream_;
  std::vector<uint64_t> inodes_;
  std::optional<size_t> descriptors_;
  int64_t next_scan_ns_ = 0;
  double disk_waiting_sum_ = 0;
  uint64_t disk_waiting_samples_ = 0;

  ProcessTable table_;
  bool table_frozen_ = false;
  Rows machine_rows_;
  std::string last_host_table_;
  int seconds_ = 0;
  int64_t next_second_ns_ = 0;
  int64_t last_second_ns_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_
