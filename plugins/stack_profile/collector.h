// From the kernel's records to stacks with weights: keeps the processes as the records tell of
// them, counts each sample where it belongs, and names the stacks when they are taken. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_COLLECTOR_H_
#define PLUMB_PLUGINS_STACK_PROFILE_COLLECTOR_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/stack_profile/off_cpu.h"
#include "plugins/stack_profile/perf_events.h"
#include "plugins/stack_profile/stack_table.h"
#include "plugins/stack_profile/stack_walker.h"
#include "plugins/stack_profile/symbolizer.h"
#include "plugins/stack_profile/traced_process.h"

namespace plumb::stack_profile {

// One stack with names: the label, then frames from the outermost in.
struct NamedStack {
  const std::string& label;
  std::span<const uint32_t> frames;  // in the Symbolizer
  double seconds;
};

class Collector {
 public:
  struct Options {
    Unwind unwind = Unwind::kAuto;
    bool stack_dumps = true;  // the records hold registers and stacks
    size_t most_stacks = 10'000;
  };
  // What the collector needs to know of events and threads; see Attachment.
  struct Watch {
    std::function<std::optional<Profile>(uint64_t event_id)> profile_of;
    std::function<bool(Pid tid)> watches;  // whether the thread is one of the target's
    std::function<void(Pid tid, Pid parent, uint64_t time_ns)> born;
    std::function<void(Pid tid)> ended;
  };
  Collector(proc::Root root, Options options, Watch watch);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void record(Bytes bytes);

  // See OffCpu: context switches after `time_ns` are not to be counted, and again after that of
  // resume.
  void suspend_off_cpu(uint64_t time_ns);
  void resume_off_cpu(uint64_t time_ns, double factor);

  // Reads what the processes' runtimes have written about generated code since the last call.
  void read_perf_maps();

  // Gives every stack counted until `time_ns` since the last call.
  void take(uint64_t time_ns, const std::function<void(Profile, const NamedStack&)>& visit);
  // Forgets processes that have ended, and files and unwinders beyond the limits that are not in
  // use. Call it after take().
  void forget_unused();

  struct Counts {
    std::array<uint64_t, kProfiles> samples{};
    std::array<uint64_t, kProfiles> lost{};
    uint64_t switches = 0;
    uint64_t throttled = 0;
    uint64_t damaged = 0;
    uint64_t over_limit = 0;  // samples whose stack did not fit into most_stacks
  };
  const Counts& counts() const { return counts_; }
  // Waits whose stack did not fit into most_stacks.
  uint64_t waits_over_limit() const { return off_cpu_.over_limit(); }
  OffCpu::Seen take_waits_seen() { return off_cpu_.take_seen(); }
  double preempted_seconds() const { return off_cpu_.preempted_seconds(); }
  Symbolizer& symbolizer() { return symbolizer_; }
  const StackWalker& walker() const { return walker_; }
  // Why generated code of some process has no names; empty when there is no reason to tell.
  const std::string& perf_map_problem() const { return perf_map_problem_; }
  size_t programs() const { return programs_.size(); }

  static constexpr size_t kMostPrograms = 4096;

 private:
  struct Known {
    TracedProcess process;
    bool loaded = false;
  };
  TracedProcess* known(Pid pid);
  TracedProcess* process(Pid pid);
  // A new program for a process; what was sampled of the one before keeps its names until take().
  TracedProcess* begin_program(Pid pid);
  Whose whose(TracedProcess& process, Pid tid);
  void sample();
  void new_mapping();
  void new_name();
  void new_task();
  void context_switch();
  void lost();
  OwnedDescriptor open_elsewhere(const TracedProcess& process, const Mapping& mapping) const;
  void name_frames(const TracedProcess* process, const StackTable::Stack& stack, Profile profile);
  void visit_without_stack(Profile profile, Whose whose, const char* reason, double seconds,
                           const std::function<void(Profile, const NamedStack&)>& visit);

  proc::Root root_;
  Options options_;
  Watch watch_;
  proc::Buffer buffer_{64 * 1024};
  Symbolizer symbolizer_;
  StackWalker walker_;
  LabelTable labels_;
  StackTable stacks_;
  OffCpu off_cpu_;
  std::unordered_map<Pid, uint32_t> running_;  // which program a process has now
  std::unordered_map<uint32_t, Known> programs_;
  uint32_t last_program_ = 0;
  std::unordered_map<Pid, uint32_t> thread_labels_;
  std::unordered_map<uint32_t, double> on_cpu_;    // seconds by stack
  std::unordered_map<Whose, double> on_cpu_rest_;  // of those that found no room
  std::optional<uint64_t> suspended_from_ns_;
  uint64_t resumed_at_ns_ = 0;
  Counts counts_;
  std::string perf_map_problem_;
  Record record_;
  std::vector<uint32_t> frames_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_COLLECTOR_H_
