#include "waiters.h"

#include <algorithm>
#include <utility>

#include "durations.h"
#include "openers.h"
#include "plugins/proc/processes.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kListEvery = 250 * kMillisecond;
constexpr int64_t kCheckEvery = 250 * kMillisecond;
constexpr int kShortSleepsToTrust = 3;
constexpr int kFreeLooksToJudge = 3;
constexpr int kFreeLooksKept = 20;
constexpr int kHiddenLooksToSay = 5;

bool asleep(ThreadState state) {
  return state == ThreadState::kBusySleep || state == ThreadState::kSleep;
}

}  // namespace

int infer_waiters(const ProcessSleep& process) {
  if (process.uses_glibc) return process.blocked + process.busy_sleepers;
  const int all = process.busy_sleepers + process.sleepers;
  const bool one_is_holder =
      process.holds && !process.holder_found && process.active == 0 && all > 0;
  return process.blocked + (one_is_holder ? all - 1 : all);
}

bool WaiterWatch::Thread::sleeps_anyway() const {
  return idle_timer || (free_looks >= kFreeLooksToJudge && free_asleep * 2 >= free_looks);
}

std::optional<int> WaiterWatch::scan(int64_t now_ns, const std::vector<int32_t>& processes,
                                     const Contention& lock) {
  forget_absent(processes);
  syncs_.clear();
  int waiters = 0;
  size_t hidden = 0;
  for (const int32_t pid : processes) {
    Process& process = processes_[pid];
    if (process.threads.empty() || now_ns - process.listed_ns >= kListEvery)
      list_threads(now_ns, pid, process);
    waiters += infer_waiters(look(now_ns, pid, process, lock));
    if (process.hidden_looks >= kHiddenLooksToSay) ++hidden;
  }
  if (hidden > 0 && hidden == processes.size()) return std::nullopt;
  return waiters;
}

ProcessSleep WaiterWatch::look(int64_t now_ns, int32_t pid, Process& process,
                               const Contention& lock) {
  ProcessSleep found;
  found.holds = lock.held && pid == lock.holder;
  if (!process.uses_glibc) process.uses_glibc = maps_glibc(root_, pid, buffer_);
  size_t unknown = 0;
  bool wait_channels = false;
  for (auto& [tid, thread] : process.threads) {
    const ThreadState state = thread.files.state(buffer_);
    if (const auto descriptor = thread.files.sync_of()) syncs_.push_back({pid, *descriptor});
    wait_channels |= thread.files.only_wait_channel();
    const bool was_counted = std::exchange(thread.counted, false);
    if (state == ThreadState::kGone) thread.alive = false;
    if (state == ThreadState::kUnknown) ++unknown;
    if (state == ThreadState::kActive) ++found.active;
    if (state == ThreadState::kBlocked) ++found.blocked;
    if (!asleep(state)) continue;
    if (long_asleep(now_ns, thread)) {
      if (found.holds && !found.holder_found && !thread.idle_timer &&
          thread.asleep_since_ns >= lock.hold_start_ns) {
        found.holder_found = true;
      } else {
        thread.idle_timer = true;
        thread.short_sleeps = 0;
      }
      continue;
    }
    if (thread.sleeps_anyway()) continue;
    // Where nobody holds the lock just now, who waited before may still be in the same sleep.
    const bool busy_handler = state == ThreadState::kBusySleep;
    thread.counted = lock.held || was_counted || (busy_handler && lock.held_lately);
    if (!thread.counted) continue;
    ++(busy_handler ? found.busy_sleepers : found.sleepers);
  }
  const bool all_unknown = !process.threads.empty() && unknown == process.threads.size();
  process.hidden_looks = all_unknown ? process.hidden_looks + 1 : 0;
  // A wait channel does not say which sleep it is.
  found.uses_glibc = *process.uses_glibc && !wait_channels;
  thread_count_ -= std::erase_if(process.threads, [](const auto& t) { return !t.second.alive; });
  return found;
}

bool WaiterWatch::long_asleep(int64_t now_ns, Thread& thread) {
  if (thread.timeslices && now_ns - thread.checked_ns < kCheckEvery) return thread.in_long_sleep;
  const std::optional<uint64_t> timeslices = thread.files.timeslices(buffer_);
  if (!timeslices) return false;
  thread.in_long_sleep = thread.timeslices == timeslices;
  thread.timeslices = timeslices;
  thread.checked_ns = now_ns;
  if (thread.in_long_sleep) return true;
  thread.asleep_since_ns = now_ns;
  if (thread.idle_timer && ++thread.short_sleeps >= kShortSleepsToTrust) thread.idle_timer = false;
  return false;
}

void WaiterWatch::learn_idle() {
  for (auto& [pid, process] : processes_) {
    for (auto& [tid, thread] : process.threads) {
      const bool sleeps = asleep(thread.files.state(buffer_));
      thread.counted = false;
      ++thread.free_looks;
      if (sleeps) ++thread.free_asleep;
      if (thread.free_looks >= kFreeLooksKept) {
        thread.free_looks /= 2;
        thread.free_asleep /= 2;
      }
    }
  }
}

void WaiterWatch::list_threads(int64_t now_ns, int32_t pid, Process& process) {
  process.listed_ns = now_ns;
  for (auto& [tid, thread] : process.threads) thread.alive = false;
  for (const proc::Pid tid : proc::list_tasks(root_, pid)) {
    const auto known = process.threads.find(tid);
    if (known != process.threads.end()) {
      known->second.alive = true;
    } else if (thread_count_ < kMostThreads) {
      process.threads.emplace(tid, root_.of_task(pid, tid, ""));
      ++thread_count_;
    } else {
      truncated_ = true;
    }
  }
  thread_count_ -= std::erase_if(process.threads, [](const auto& t) { return !t.second.alive; });
}

void WaiterWatch::forget_absent(const std::vector<int32_t>& processes) {
  std::erase_if(processes_, [&](const auto& process) {
    if (std::binary_search(processes.begin(), processes.end(), process.first)) return false;
    thread_count_ -= process.second.threads.size();
    return true;
  });
}

}  // namespace plumb::sqlite_stats
