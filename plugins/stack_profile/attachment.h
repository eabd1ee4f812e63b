// Which threads of the target are watched, and by which events. Threads and processes that they
// start are watched too, by inheritance; those that appear otherwise are attached when they are
// found. Not thread-safe.
//
// With the whole machine sampled there is one event per processor, and one per thread and processor
// for context switches; without, one more per thread and processor. The rings belong to events of
// plumb's own, so that they outlive any thread.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_
#define PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_

#include <plumb/status.hpp>

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plugins/stack_profile/elf_image.h"
#include "plugins/stack_profile/perf_events.h"
#include "plugins/stack_profile/ring.h"

namespace plumb::stack_profile {

struct TargetThread {
  Pid pid = 0;
  Pid tid = 0;
};
std::vector<TargetThread> list_threads(const proc::Root& root, std::span<const Pid> pids);

class Attachment {
 public:
  Attachment(OpenEvent open, proc::Root root);

  // Maps one ring per processor that is online. RESOURCE_EXHAUSTED or PERMISSION_DENIED with the
  // remedy.
  Status open_rings(size_t bytes_in_all);
  Rings& rings() { return rings_; }

  // Attaches those of the threads that are neither attached nor inherited. Call it only after the
  // records up to the time of the list were drained, or a thread just born counts as unknown and is
  // sampled twice. What is refused is told by problem().
  void attach(std::span<const TargetThread> threads);
  // Whether attach() would attach any of them.
  bool misses(std::span<const TargetThread> threads) const;
  // Opens every event anew, with other settings; threads inherited until now are attached
  // themselves.
  void restart(std::span<const TargetThread> threads, const EventSettings& settings);
  // Ends all sampling. What was written stays to be read; who is watched stays known for that.
  void detach_all();

  // Whether a thread is one of the target's.
  bool watches(Pid tid) const { return covered_.contains(tid); }
  bool watches_any() const { return !covered_.empty(); }
  // From the records.
  void born(Pid tid) { covered_.insert(tid); }
  void ended(Pid tid) { covered_.erase(tid); }

  // Closes events whose threads have ended with all they started.
  void sweep();
  // Context switches of the threads known so far are not looked at, and again from resume on.
  void rest_off_cpu();
  void resume_off_cpu();

  std::optional<Profile> profile_of(uint64_t event_id) const;
  // Seconds per unit of a sample's period: the clock counts nanoseconds; how long a cycle takes is
  // measured on this thread.
  double seconds_per_period() const;

  const EventSettings& settings() const { return settings_; }
  void set_settings(const EventSettings& settings) { settings_ = settings; }
  // Why some thread is not watched; empty when all are.
  const std::string& problem() const { return problem_; }

  static constexpr size_t kMostEvents = 16384;

 private:
  struct Event {
    OwnedDescriptor descriptor;
    uint64_t id;
    Profile profile;
  };
  // With settings_.whole_machine: samples each processor, at another frequency than before.
  void sample_machine();
  // 0 or the errno; ESRCH when the thread is gone.
  int attach_thread(Pid tid);
  // One ring for each of owners_, in place of those that are there.
  Status map_rings(size_t bytes);
  int open_one(const perf_event_attr& attr, Pid tid, size_t cpu, Profile profile,
               std::vector<Event>& into);
  void forget_old_ids();
  std::string explain(Pid pid, int error) const;

  OpenEvent open_;
  proc::Root root_;
  EventSettings settings_;
  Rings rings_;
  struct RingOwner {
    int cpu;
    OwnedDescriptor descriptor;
  };
  std::vector<RingOwner> owners_;
  std::vector<Event> machine_events_;
  uint32_t machine_frequency_ = 0;
  std::vector<Event> events_;  // of threads
  OwnedDescriptor cycles_;
  std::unordered_map<uint64_t, Profile> profiles_;
  std::unordered_set<Pid> covered_;
  std::string problem_;
};

// "0-3,8" as the kernel writes the processors that are online; empty when it cannot be read so.
std::vector<int> parse_cpu_list(std::string_view text);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_
