// The sampler itself: ten times a second it empties the rings, once a second it looks for new
// processes of the target, every five seconds it emits the stacks seen. See README.md for what it
// takes and docs/signals.md for what comes out of it.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_STACK_PROFILE_H_
#define PLUMB_PLUGINS_STACK_PROFILE_STACK_PROFILE_H_

#include <plumb/plugin.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plugins/proc/processes.h"
#include "plugins/stack_profile/attachment.h"
#include "plugins/stack_profile/collector.h"
#include "plugins/stack_profile/pace.h"
#include "plugins/stack_profile/perf_events.h"
#include "plugins/stack_profile/profile_report.h"

namespace plumb::stack_profile {

class StackProfile final : public Sampler {
 public:
  explicit StackProfile(Host host);
  // For tests: where /proc is, and a kernel that answers otherwise.
  StackProfile(Host host, proc::Root root, EventKernel kernel);

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;

 private:
  struct Settings {
    uint32_t frequency = 99;
    bool off_cpu = true;
    bool kernel = true;
    Unwind unwind = Unwind::kAuto;
    uint32_t stack_bytes = 0;
    size_t most_stacks = 0;
    double budget = 0;
    uint64_t most_switches = 0;
  };
  void begin_sampling();
  // True when stacks were emitted.
  bool watch(int64_t now_ns);
  void drain(uint64_t until_ns);
  bool second(int64_t now_ns);
  void find_target();
  void attach_new();
  bool births_are_unsure();
  void restart(const EventSettings& events);
  void limit_waiting_stacks();
  void renew_missed_rates(int64_t now_ns);
  void limit_switches(uint64_t now_ns);
  double switch_factor(uint64_t now_ns) const;
  void end_switch_window(uint64_t now_ns);
  void emit(int64_t now_ns);
  void emit_series(int64_t now_ns);
  void emit_tables();
  void keep_to_budget(int64_t now_ns);
  void set_problem(const std::string& subject, const std::string& sentence);
  void report_health();

  proc::Root root_;
  EventKernel kernel_;
  Settings settings_;
  proc::Selector selector_;
  proc::ProcessList processes_;
  std::optional<proc::TargetFinder> finder_;
  std::vector<proc::Pid> target_;
  std::vector<TargetThread> candidates_;  // listed at an earlier tick, not looked at yet
  int relists_ = 0;                       // since the last second
  int torn_restarts_ = 0;                 // in a row

  Access access_;
  bool sampling_ = false;
  std::optional<Attachment> attachment_;
  std::optional<Collector> collector_;
  std::optional<Pace> pace_;

  std::array<FoldedStacks, kProfiles> folded_;
  JudgedShares shares_;
  double lock_wait_seconds_ = 0;  // since the watch began
  std::optional<Series> lock_wait_;
  struct Totals {
    Series samples, lost;
  };
  std::array<std::optional<Totals>, kProfiles> series_;

  std::map<std::string, std::string> problems_;  // sentences by subject
  bool problems_changed_ = true;
  int64_t started_ns_ = 0;
  int64_t next_second_ns_ = 0;
  int64_t next_emission_ns_ = 0;
  int64_t emitted_until_ns_ = 0;
  uint64_t window_from_ns_ = 0;              // of context switches
  uint64_t window_switches_ = 0;             // counted before it
  std::optional<uint64_t> window_until_ns_;  // it ended early: there were too many
  int64_t next_window_ns_ = 0;               // then: when to look again
  std::minstd_rand random_;
  uint64_t limited_windows_ = 0;
  int64_t renewed_ns_ = 0;
  uint64_t waiting_stacks_ = 0;  // sampled until the last second
  uint64_t lost_before_ = 0;
  uint64_t given_up_bytes_ = 0;  // of damaged rings
  double watching_cpu_s_ = 0;    // naming included
  double naming_cpu_s_ = 0;
  int64_t budget_from_ns_ = 0;  // both count from here
  int seconds_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_STACK_PROFILE_H_
