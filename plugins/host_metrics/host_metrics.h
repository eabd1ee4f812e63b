// The sampler itself: every tick what can only be seen at an instant, every second the counters,
// now and then the tables. See README.md for what is read and docs/signals.md for what comes out of
// it.
#ifndef PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_
#define PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_

#include <plumb/plugin.hpp>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plugins/host_metrics/cgroup_watch.h"
#include "plugins/host_metrics/clock_watch.h"
#include "plugins/host_metrics/cpu_groups.h"
#include "plugins/host_metrics/delay_source.h"
#include "plugins/host_metrics/host_table.h"
#include "plugins/host_metrics/machine_sampler.h"
#include "plugins/host_metrics/network_sampler.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/host_metrics/process_survey.h"
#include "plugins/host_metrics/process_table.h"
#include "plugins/host_metrics/roles.h"
#include "plugins/host_metrics/socket_source.h"
#include "plugins/host_metrics/target_memory.h"
#include "plugins/host_metrics/target_sockets.h"
#include "plugins/host_metrics/target_table.h"
#include "plugins/host_metrics/target_usage.h"
#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

class HostMetrics final : public Sampler {
 public:
  explicit HostMetrics(Host host);
  // What is not this machine's in tests.
  struct Sources {
    proc::Root root;
    std::unique_ptr<SocketSource> sockets;
    std::unique_ptr<DelaySource> delays;  // or null
    ClockWatch::Offset clock_offset;
    proc::Pid self;  // this process
  };
  HostMetrics(Host host, Sources sources);

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;

 private:
  // How long the target is looked at in every tick after it did something that passes quickly: it
  // used more than so many processors, sent or received, had a queue or waited for a disk.
  static constexpr int64_t kAttentionNs = 2'000'000'000;
  static constexpr double kBusyProcessors = 0.02;
  void tick(int64_t now_ns);
  void look_at_threads(double span);
  int64_t pause_until(int64_t now_ns);
  void stay_attentive(int64_t now_ns) { attentive_until_ns_ = now_ns + kAttentionNs; }
  void second(int64_t now_ns);
  void watch_processes(int64_t now_ns);
  void find_target();
  void note_found(const std::vector<proc::Pid>& pids);
  void note_lost(const Status& why);
  TargetTotals emit_target(int64_t now_ns);
  void note_use(int64_t now_ns, double cpu_seconds);
  void emit_threads(int64_t now_ns);
  void emit_memory(int64_t now_ns);
  void emit_cgroup(int64_t now_ns, const CgroupTotals& totals);
  void emit_groups(int64_t now_ns, const TargetTotals& target, const CgroupTotals& cgroup);
  void emit_others(int64_t now_ns);
  void watch_clock(int64_t now_ns);
  void begin_tables(int64_t now_ns);
  void send_tables(int64_t now_ns);
  void emit_host_table();
  void add_target_rows(Rows& rows) const;
  void report_problems();

  proc::Root root_;
  proc::Pid self_;
  Outlet outlet_;
  Problems problems_;
  std::unique_ptr<SocketSource> source_;
  MachineSampler machine_;
  NetworkSampler network_;
  ClockWatch clock_;

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
  uint64_t restarts_ = 0;
  TargetUsage usage_;
  TargetMemory memory_;
  CgroupWatch cgroup_;
  TargetSockets sockets_;
  Roles roles_;
  bool survey_next_ = false;
  bool tasks_changed_before_ = true;
  uint64_t roles_generation_ = UINT64_MAX;  // of the process list they were made from

  ProcessSurvey survey_;
  CpuGroups groups_;
  // Totals at the second before, of which the differences are taken.
  struct Before {
    CpuTicks machine;
    double target_cpu = 0;
    std::optional<double> waited;
    std::optional<uint64_t> throttled_ns;
    int64_t time_ns = 0;
  };
  std::optional<Before> before_;
  double unseen_raw_ = 0, unseen_ = 0;  // raw may dip: its parts are counted by different clocks
  struct Spent {
    double host = 0, target = 0, plumb = 0, database = 0;  // seconds
    double others() const { return host - target - plumb - database; }
  };
  std::optional<Spent> spent_;  // at the last second in which the target was known
  double others_raw_ = 0, others_ = 0;
  uint64_t surveyed_ticks_ = 0;  // since boot, when the target was read for the last survey
  struct Use {
    double cpu_seconds;
    int64_t time_ns;
  };
  std::optional<Use> use_;  // the target's, at the second before
  std::vector<CpuGroups::Used> used_;

  struct StateSums {
    // Over the looks at threads, and over all ticks, each times what it stands for.
    ThreadStates states;
    double disk_waiting = 0;
    double looks = 0;
    double ticks = 0;
  };
  StateSums thread_states_;
  bool someone_waits_for_disk_ = false;

  ProcessTable table_;
  TargetTable target_table_;
  bool tables_frozen_ = false;
  Rows machine_rows_;
  std::string last_host_table_;
  int seconds_ = 0;
  int64_t next_second_ns_ = 0;
  int64_t next_look_ns_ = 0;
  int64_t last_look_ns_ = 0;
  int64_t attentive_until_ns_ = 0;
  std::minstd_rand draw_;
  int64_t last_second_ns_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_HOST_METRICS_H_
