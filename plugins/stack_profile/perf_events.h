// The kernel's perf events as this plugin opens them, and what the machine lets it open.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_PERF_EVENTS_H_
#define PLUMB_PLUGINS_STACK_PROFILE_PERF_EVENTS_H_

#include <linux/perf_event.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

enum class Profile { kOnCpu = 0, kOffCpu = 1 };
inline constexpr size_t kProfiles = 2;
const char* profile_name(Profile profile);

// perf_event_open for one thread (0: this one, -1: all) on one processor (-1: any): a descriptor,
// or an errno below zero.
using OpenEvent = std::function<int(const perf_event_attr&, Pid, int cpu)>;
OpenEvent kernel_open_event();

// What is asked of the kernel's perf events; the machine's own unless a test gives another.
struct EventKernel {
  OpenEvent open = kernel_open_event();
  // Has the event `descriptor` write into the ring of `owner` and gives its id. 0 or the errno.
  std::function<int(int descriptor, int owner, uint64_t& id)> join = join_ring;
  // Switches the event on or off in its thread and all that inherited it.
  std::function<void(int descriptor, bool on)> enable = enable_event;
  // The clock of the records.
  std::function<uint64_t()> now_ns = record_clock_ns;

 private:
  static int join_ring(int descriptor, int owner, uint64_t& id);
  static void enable_event(int descriptor, bool on);
  static uint64_t record_clock_ns();
};

struct EventSettings {
  // One event per processor samples whatever runs there, and samples of others are thrown away. An
  // event per thread starts its clock anew in each thread: one that lives for less than a period is
  // never seen. Watching the whole machine takes a privilege, though.
  bool whole_machine = false;
  bool count_kernel = true;   // time inside the kernel counts
  bool kernel_frames = true;  // and is broken down
  uint32_t stack_bytes = 0;   // of each stack to copy; 0: frame pointers alone
  uint32_t frequency = 99;    // samples per second of processor time
  bool off_cpu = true;
  uint32_t switch_frequency = 99;  // stacks per second and thread, of those that block
};

// For one thread and those it starts, or with whole_machine for one processor (thread -1). Tells of
// new threads, processes, names and mappings, too. It samples by the processor's clock, so that a
// sample's period is nanoseconds. Cycles would be as long as the processor's pace of the moment
// makes them, which differs by processor and by second: no factor turns a sum of them into time.
perf_event_attr on_cpu_event(const EventSettings& settings);
// One sample per some context switches, so many that there are `switch_frequency` per second, and a
// record of every switch.
perf_event_attr off_cpu_event(const EventSettings& settings);
// Counts nothing; owns a ring that others write to.
perf_event_attr ring_event();

// What may be watched here, found out on this thread itself.
struct Access {
  bool on_cpu = false;
  bool off_cpu = false;
  bool whole_machine = false;
  bool count_kernel = false;
  std::string refused;          // why not even on_cpu; with the remedy
  std::string machine_refused;  // why not whole_machine
  std::string off_cpu_refused;  // likewise
  std::string kernel_refused;   // likewise
};
Access probe_access(const OpenEvent& open, const proc::Root& root);

// What to do about an errno of perf_event_open; `what` begins the sentence.
std::string refusal(const std::string& what, int error, const proc::Root& root);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_PERF_EVENTS_H_
