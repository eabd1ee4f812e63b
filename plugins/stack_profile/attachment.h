// Which threads of the target are watched, and by which events. Threads and processes that they
// start are watched too, by inheritance; those that appear otherwise are attached when they are
// found. Not thread-safe.
//
// With the whole machine sampled there is one event per processor, and one per thread and processor
// for context switches; without, one more per thread and processor. The rings belong to events of
// plumb's own, so that they outlive any thread.
//
// A thread's events are opened one after another, and what it starts meanwhile inherits some of
// them or none. When its events were complete is therefore kept, and a birth before that is no
// inheritance: the child's waits are watched by events of its own (twice, perhaps, which OffCpu
// bears), and where processor time is sampled by thread, which must not count twice, take_torn()
// asks for a restart.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_
#define PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_

#include <plumb/status.hpp>

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
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
  static constexpr size_t kMostEvents = 16384;

  Attachment(EventKernel kernel, proc::Root root, size_t most_events = kMostEvents);

  // Maps one ring per processor that is online. RESOURCE_EXHAUSTED or PERMISSION_DENIED with the
  // remedy.
  Status open_rings(size_t bytes_in_all);
  Rings& rings() { return rings_; }

  // Attaches those of the threads that are neither attached nor inherited, and watches the waits of
  // threads that were born too early to inherit that; true when there were any. Call it only after
  // the records up to the time of the list were drained, or a thread just born counts as unknown
  // and is sampled twice. What is refused is told by problem(). Where there is no room for all
  // events, waits are what is not watched.
  bool attach(std::span<const TargetThread> threads);
  // Whether attach() would attach any of them.
  bool misses(std::span<const TargetThread> threads) const;
  // Whether threads were born, since the last attach(), that did not inherit the watch for waits.
  bool lacks_waits() const { return born_unseen_; }
  // Whether a thread was born while its parent's events were opened, since the last call: it may
  // have some of them.
  bool take_torn() { return std::exchange(torn_, false); }
  // Opens every event anew, with other settings; threads inherited until now are attached
  // themselves.
  void restart(std::span<const TargetThread> threads, const EventSettings& settings);
  // Nothing is recorded any more; all stays open, and what was written stays to be read.
  void disable_all();

  // Whether a thread is one of the target's.
  bool watches(Pid tid) const { return covered_.contains(tid); }
  bool watches_any() const { return !covered_.empty(); }
  // From the records: `parent` started `tid` at a time of theirs.
  void born(Pid tid, Pid parent, uint64_t time_ns);
  void ended(Pid tid);

  // Closes events whose threads have ended with all they started.
  void sweep();
  // Context switches are not looked at, and again from resume on.
  void rest_off_cpu();
  void resume_off_cpu();

  std::optional<Profile> profile_of(uint64_t event_id) const;

  const EventSettings& settings() const { return settings_; }
  void set_settings(const EventSettings& settings) { settings_ = settings; }
  // Why some thread is not watched, or its waits are not; empty when all are.
  std::string problem() const;
  size_t events() const {
    return machine_events_.size() + on_cpu_events_.size() + off_cpu_events_.size();
  }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;
  struct Event {
    OwnedDescriptor descriptor;
    uint64_t id;
  };
  // Since when all its events are there.
  struct Thread {
    uint64_t on_cpu_from_ns = 0;
    uint64_t off_cpu_from_ns = kNever;
  };
  // With settings_.whole_machine: samples each processor, at another frequency than before.
  void sample_machine();
  // 0 or the errno; ESRCH when the thread is gone.
  int watch(Pid tid);
  int watch_waits(Pid tid, Thread& thread);
  // True when at least one was watched.
  bool watch_unseen_waits();
  void give_up_waits();
  // An event for each processor; or none, and the errno.
  int open_events(const perf_event_attr& attr, Pid tid, Profile profile, std::vector<Event>& into);
  // One ring for each of owners_, in place of those that are there.
  Status map_rings(size_t bytes);
  bool has_room() const { return events() + owners_.size() <= most_events_; }
  // Whether there are to be events for context switches now. Of a machine that is sampled as a
  // whole there are none during a rest.
  bool watches_waits() const {
    return settings_.off_cpu && !waits_given_up_ && !(resting_ && settings_.whole_machine);
  }
  void forget_old_ids();
  static void close_ended(std::vector<Event>& events);
  std::string explain(const std::string& what, int error) const;

  EventKernel kernel_;
  proc::Root root_;
  size_t most_events_;
  EventSettings settings_;
  Rings rings_;
  struct RingOwner {
    int cpu;
    OwnedDescriptor descriptor;
  };
  std::vector<RingOwner> owners_;
  std::vector<Event> machine_events_;
  uint32_t machine_frequency_ = 0;
  std::vector<Event> on_cpu_events_;  // of threads
  std::vector<Event> off_cpu_events_;
  std::unordered_map<uint64_t, Profile> profiles_;  // by event id
  std::unordered_map<Pid, Thread> covered_;
  std::unordered_set<Pid> unseen_waits_;  // covered, but their waits are not watched
  bool born_unseen_ = false;
  bool waits_given_up_ = false;  // processor time needs all the room there is
  bool resting_ = false;
  bool torn_ = false;
  std::string refused_;
  std::string waits_refused_;
};

// "0-3,8" as the kernel writes the processors that are online; empty when it cannot be read so.
std::vector<int> parse_cpu_list(std::string_view text);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_ATTACHMENT_H_
