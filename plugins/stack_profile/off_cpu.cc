#include "plugins/stack_profile/off_cpu.h"

#include <algorithm>
#include <bit>

namespace plumb::stack_profile {

namespace {

// Two events of one thread tell of a switch this close to one another.
constexpr uint64_t kSameSwitchNs = 100'000;

}  // namespace

void OffCpu::stack(Pid tid, Whose whose, uint64_t time_ns, Addresses kernel, Addresses user) {
  if (threads_.size() >= kMostThreads && !threads_.contains(tid)) return;
  Thread& thread = threads_[tid];
  thread.whose = whose;
  thread.waiting = false;
  thread.has_stack = true;
  thread.began_ns = time_ns;
  thread.kernel.assign(kernel.begin(), kernel.end());
  thread.user.assign(user.begin(), user.end());
}

void OffCpu::out(Pid tid, Whose whose, uint64_t time_ns, bool preempted) {
  if (threads_.size() >= kMostThreads && !threads_.contains(tid)) return;
  Thread& thread = threads_[tid];
  if (thread.waiting && time_ns - std::min(thread.began_ns, time_ns) < kSameSwitchNs) return;
  // A stack from before an earlier switch, whose record is missing, does not belong to this one.
  if (thread.waiting) thread.has_stack = false;
  thread.whose = whose;
  thread.waiting = true;
  thread.could_run = preempted;
  thread.since_ns = thread.began_ns = time_ns;
}

void OffCpu::in(Pid tid, uint64_t time_ns) {
  const auto it = threads_.find(tid);
  if (it == threads_.end()) return;
  if (it->second.waiting) count(it->second, time_ns);
  it->second.waiting = false;
  it->second.has_stack = false;
}

void OffCpu::runs(Pid tid) {
  const auto it = threads_.find(tid);
  if (it != threads_.end()) it->second.waiting = it->second.has_stack = false;
}

void OffCpu::count(Thread& thread, uint64_t until_ns) {
  if (until_ns <= thread.since_ns) return;
  const double seconds = static_cast<double>(until_ns - thread.since_ns) * 1e-9;
  const uint64_t whole_ns = until_ns - thread.began_ns;
  thread.since_ns = until_ns;
  if (thread.could_run) {
    preempted_seconds_ += seconds;
    return;
  }
  Times& times = window_[{thread.whose, static_cast<uint32_t>(std::bit_width(whole_ns))}];
  times.all += seconds;
  seen_.all += seconds;
  if (!thread.has_stack) {
    seen_.without_stack += seconds;
    return;
  }
  const auto number = stacks_.intern(thread.whose, thread.kernel, thread.user);
  if (!number) ++over_limit_;
  times.by_stack[number.value_or(kNoRoom)] += seconds;
}

void OffCpu::suspend(uint64_t time_ns) {
  for (auto& [tid, thread] : threads_) {
    if (thread.waiting) count(thread, time_ns);
  }
}

void OffCpu::resume(uint64_t time_ns) {
  for (auto& [tid, thread] : threads_) {
    // Preempted threads will have run.
    if (thread.could_run) thread.waiting = false;
    if (thread.waiting) thread.since_ns = time_ns;
  }
}

void OffCpu::scale(double factor) {
  for (auto& [group, seen] : window_) {
    Times& times = groups_[group];
    times.all += seen.all * factor;
    for (const auto& [stack, seconds] : seen.by_stack) times.by_stack[stack] += seconds * factor;
  }
  window_.clear();
}

void OffCpu::take(uint64_t time_ns,
                  const std::function<void(uint32_t stack, double seconds)>& with_stack,
                  const std::function<void(Whose, Without, double seconds)>& without) {
  suspend(time_ns);
  scale(1);
  std::map<uint32_t, double> stacks;
  for (const auto& [group, times] : groups_) {
    double known = 0;
    for (const auto& [stack, seconds] : times.by_stack) known += seconds;
    if (known <= 0) {
      if (times.all > 0) without(group.whose, Without::kNotSampled, times.all);
      continue;
    }
    const double each = times.all / known;
    for (const auto& [stack, seconds] : times.by_stack) {
      if (stack == kNoRoom) {
        without(group.whose, Without::kNoRoom, seconds * each);
      } else {
        stacks[stack] += seconds * each;
      }
    }
  }
  groups_.clear();
  for (const auto& [stack, seconds] : stacks) with_stack(stack, seconds);
}

}  // namespace plumb::stack_profile
