// How long threads were off the processor, and with which stack. Each switch out and in is known,
// so the time of each thread is exact; a stack is known only of some switches. The time of those
// without one is shared out among the stacks of switches of the same thread that took about as long
// (within a factor of two), and where there are none it stays without a stack. Time in which a
// thread could have run (it was preempted) is not waiting and is counted apart. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_OFF_CPU_H_
#define PLUMB_PLUGINS_STACK_PROFILE_OFF_CPU_H_

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugins/stack_profile/stack_table.h"

namespace plumb::stack_profile {

class OffCpu {
 public:
  // `stacks` keeps the stacks; its numbers are used between two calls of take().
  explicit OffCpu(StackTable& stacks) : stacks_(stacks) {}

  // The stack with which `tid` is about to leave the processor.
  void stack(Pid tid, Whose whose, uint64_t time_ns, Addresses kernel, Addresses user);
  void out(Pid tid, Whose whose, uint64_t time_ns, bool preempted);
  void in(Pid tid, uint64_t time_ns);
  // Seen on the processor: where the record of its switch in was lost, it waits no more.
  void runs(Pid tid);
  void ended(Pid tid) { threads_.erase(tid); }

  // Switches are not seen from `time_ns` on, and again from the time of resume. Who waits then is
  // taken to wait on in the same place unless the next record says otherwise.
  void suspend(uint64_t time_ns);
  void resume(uint64_t time_ns);
  // What was seen since the last call stands for `factor` times as much.
  void scale(double factor);

  enum class Without { kNotSampled, kNoRoom };  // there was no stack, or no room for it
  // Gives what was waited until `time_ns` since the last call, in seconds: stacks by number, and
  // whose time has no stack. Then stacks may be cleared.
  void take(uint64_t time_ns, const std::function<void(uint32_t stack, double seconds)>& with_stack,
            const std::function<void(Whose, Without, double seconds)>& without);

  // What was waited since the last call, and how much of it has no stack of its own.
  struct Seen {
    double all = 0;
    double without_stack = 0;
  };
  Seen take_seen() { return std::exchange(seen_, Seen{}); }
  // Waits whose stack found no room in the table.
  uint64_t over_limit() const { return over_limit_; }
  double preempted_seconds() const { return preempted_seconds_; }
  size_t threads() const { return threads_.size(); }

  static constexpr size_t kMostThreads = 16384;

 private:
  struct Thread {
    Whose whose;
    bool waiting = false;
    bool has_stack = false;
    bool could_run = false;
    uint64_t since_ns = 0;  // of this wait, for what is not counted yet
    uint64_t began_ns = 0;  // of this wait
    std::vector<uint64_t> kernel, user;
  };
  // Waits of a thread between 2^k and 2^(k+1) nanoseconds.
  struct Group {
    Whose whose;
    uint32_t magnitude;
    auto operator<=>(const Group& other) const {
      return std::tuple(whose.program, whose.label, magnitude) <=>
             std::tuple(other.whose.program, other.whose.label, other.magnitude);
    }
    bool operator==(const Group&) const = default;
  };
  static constexpr uint32_t kNoRoom = UINT32_MAX;  // stands for every stack without room
  struct Times {
    double all = 0;
    std::map<uint32_t, double> by_stack;
  };
  void count(Thread& thread, uint64_t until_ns);

  StackTable& stacks_;
  std::unordered_map<Pid, Thread> threads_;
  std::map<Group, Times> window_;  // since the last scale()
  std::map<Group, Times> groups_;
  Seen seen_;
  double preempted_seconds_ = 0;
  uint64_t over_limit_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_OFF_CPU_H_
