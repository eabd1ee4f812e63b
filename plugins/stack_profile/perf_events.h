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
// or an errno below zero. Tests give one of their own.
using OpenEvent = std::function<int(const perf_event_attr&, Pid, int cpu)>;
OpenEvent kernel_open_event();

struct EventSettings {
  // One event per processor samples whatever runs there, and samples of others are thrown away. An
  // event per thread starts its clock anew in each thread: one that lives for less than a period is
  // never seen. Watching the whole machine takes a privilege, though.
  bool whole_machine = false;
  bool hardware = false;      // cycles rather than the processor's clock
  bool count_kernel = true;   // time inside the kernel counts
  bool kernel_frames = true;  // and is broken down
  uint32_t stack_bytes = 0;   // of each stack to copy; 0: frame pointers alone
  uint32_t frequency = 99;    // samples per second of processor time
  bool off_cpu = true;
  uint32_t switch_frequency = 99;  // stacks per second and thread, of those that block
};

// For one thread and those it starts, or with whole_machine for one processor (thread -1). Tells of
// new threads, processes, names and mappings, too.
perf_event_attr on_cpu_event(const EventSettings& settings);
// Counts this thread's cycles, to know how long one takes.
perf_event_attr cycle_counter();
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
  bool hardware = false;
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
