#include "waiters.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "durations.h"
#include "openers.h"
#include "plugins/proc/processes.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kListEvery = 250 * kMillisecond;
constexpr int64_t kCheckEvery = 250 * kMillisecond;
// After a scan that a process was in, somebody in it may be asleep for the lock for so long.
constexpr int64_t kStillAsleepFor = 90 * kMillisecond;
// What was learnt of a process that no scan has looked at for so long is forgotten.
constexpr int64_t kForgetAfter = 60 * kSecond;
constexpr int kShortSleepsToTrust = 3;
constexpr int kFreeLooksToJudge = 3;
constexpr int kFreeLooksKept = 20;
constexpr int kHiddenLooksToSay = 5;
// A lock that was met held for no time at all is waited for a little, too.
constexpr double kLeastShare = 0.01;

bool asleep(ThreadState state) {
  return state == ThreadState::kBusySleep || state == ThreadState::kSleep;
}

// What the contended databases that a process uses mean for its threads.
struct LockView {
  bool held = false;
  bool held_lately = false;
  bool holds = false;
  int64_t hold_start_ns = 0;
};

LockView view_of(int32_t pid, const std::vector<size_t>& uses,
                 std::span<const Contention> databases) {
  LockView view;
  for (const size_t i : uses) {
    const Contention& database = databases[i];
    view.held |= database.held;
    view.held_lately |= database.held_lately;
    if (!database.held || database.holder != pid) continue;
    view.hold_start_ns =
        view.holds ? std::min(view.hold_start_ns, database.hold_start_ns) : database.hold_start_ns;
    view.holds = true;
  }
  return view;
}

bool is_lock_file(const DatabaseFiles& files, const struct stat& file) {
  const auto kind = files.kind_of(file.st_dev, file.st_ino);
  return kind == DatabaseFiles::Kind::kDatabase || kind == DatabaseFiles::Kind::kWalIndex;
}

}  // namespace

int infer_waiters(const ProcessSleep& process) {
  if (process.uses_glibc) return process.busy_sleepers;
  const int all = process.busy_sleepers + process.sleepers;
  const bool one_is_holder =
      process.holds && !process.holder_found && process.active == 0 && all > 0;
  return one_is_holder ? all - 1 : all;
}

bool WaiterWatch::Thread::sleeps_anyway() const {
  return idle_timer || (free_looks >= kFreeLooksToJudge && free_asleep * 2 >= free_looks);
}

const std::vector<std::optional<double>>& WaiterWatch::scan(int64_t now_ns, Databases databases) {
  syncs_.clear();
  note_users(now_ns, databases);
  forget_unused(now_ns);
  waiting_.assign(databases.size(), 0.0);
  std::vector<size_t> hidden(databases.size());
  for (auto& [pid, process] : processes_) {
    if (process.uses.empty()) continue;
    if (process.threads.empty() || now_ns - process.listed_ns >= kListEvery)
      list_threads(now_ns, pid, process);
    const int sleepers = infer_waiters(look(now_ns, pid, process, databases));
    attribute(pid, process, sleepers, databases);
    if (process.hidden_looks < kHiddenLooksToSay) continue;
    for (const size_t i : process.uses) ++hidden[i];
  }
  for (size_t i = 0; i < databases.size(); ++i) {
    if (hidden[i] > 0 && hidden[i] == databases[i].users.size()) waiting_[i].reset();
  }
  return waiting_;
}

void WaiterWatch::note_users(int64_t now_ns, Databases databases) {
  for (auto& [pid, process] : processes_) process.uses.clear();
  for (size_t i = 0; i < databases.size(); ++i) {
    for (const int32_t pid : databases[i].users) {
      Process& process = processes_[pid];
      process.uses.push_back(i);
      process.scanned_ns = now_ns;
    }
  }
}

ProcessSleep WaiterWatch::look(int64_t now_ns, int32_t pid, Process& process, Databases databases) {
  const LockView lock = view_of(pid, process.uses, databases);
  ProcessSleep found;
  found.holds = lock.holds;
  process.blocked_on.clear();
  if (!process.uses_glibc) process.uses_glibc = maps_glibc(root_, pid, buffer_);
  size_t unknown = 0;
  bool wait_channels = false;
  for (auto& [tid, thread] : process.threads) {
    const ThreadState state = thread.files.state(buffer_);
    if (const auto descriptor = thread.files.sync_of()) syncs_.push_back({pid, *descriptor});
    if (const auto descriptor = thread.files.blocked_on())
      process.blocked_on.push_back(*descriptor);
    wait_channels |= thread.files.only_wait_channel();
    const bool was_counted = std::exchange(thread.counted, false);
    if (state == ThreadState::kGone) thread.alive = false;
    if (state == ThreadState::kUnknown) ++unknown;
    if (state == ThreadState::kActive) ++found.active;
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
  forget_ended(process);
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

void WaiterWatch::attribute(int32_t pid, const Process& process, double sleepers,
                            Databases databases) {
  double of_unknown_file = sleepers;
  for (const int descriptor : process.blocked_on) {
    struct stat file {};
    if (::stat(root_.of(pid, "fd/" + std::to_string(descriptor)).c_str(), &file) != 0) {
      ++of_unknown_file;
      continue;
    }
    // A lock on another file is none of ours.
    for (const size_t i : process.uses) {
      const DatabaseFiles* files = databases[i].files;
      if (files != nullptr && is_lock_file(*files, file)) *waiting_[i] += 1;
    }
  }
  if (of_unknown_file > 0) share(pid, process, of_unknown_file, databases);
}

void WaiterWatch::share(int32_t pid, const Process& process, double waiters, Databases databases) {
  // A process of one thread does not wait for the lock that it holds, if there is another.
  const auto may_wait_for = [&](size_t i) {
    return process.threads.size() > 1 || !databases[i].held || databases[i].holder != pid;
  };
  const bool has_other = std::any_of(process.uses.begin(), process.uses.end(), may_wait_for);
  const auto weight = [&](size_t i) {
    return has_other && !may_wait_for(i) ? 0 : std::max(kLeastShare, databases[i].held_share);
  };
  double sum = 0;
  for (const size_t i : process.uses) sum += weight(i);
  for (const size_t i : process.uses) *waiting_[i] += waiters * weight(i) / sum;
}

void WaiterWatch::learn_idle(int64_t now_ns) {
  for (auto& [pid, process] : processes_) {
    if (now_ns - process.scanned_ns <= kStillAsleepFor) continue;
    for (auto& [tid, thread] : process.threads) {
      const ThreadState state = thread.files.state(buffer_);
      if (state == ThreadState::kGone) thread.alive = false;
      thread.counted = false;
      ++thread.free_looks;
      if (asleep(state)) ++thread.free_asleep;
      if (thread.free_looks >= kFreeLooksKept) {
        thread.free_looks /= 2;
        thread.free_asleep /= 2;
      }
    }
    forget_ended(process);
  }
}

void WaiterWatch::list_threads(int64_t now_ns, int32_t pid, Process& process) {
  process.listed_ns = now_ns;
  for (auto& [tid, thread] : process.threads) thread.alive = false;
  for (const proc::Pid tid : proc::list_tasks(root_, pid)) {
    const auto known = process.threads.find(tid);
    if (known != process.threads.end()) {
      known->second.alive = true;
    } else if (thread_count_ < kMostThreads || make_room(now_ns)) {
      process.threads.emplace(tid, root_.of_task(pid, tid, ""));
      ++thread_count_;
    } else {
      truncated_ = true;
    }
  }
  forget_ended(process);
}

bool WaiterWatch::make_room(int64_t now_ns) {
  auto oldest = processes_.end();
  for (auto at = processes_.begin(); at != processes_.end(); ++at) {
    if (at->second.scanned_ns == now_ns || at->second.threads.empty()) continue;
    if (oldest == processes_.end() || at->second.scanned_ns < oldest->second.scanned_ns)
      oldest = at;
  }
  if (oldest == processes_.end()) return false;
  forget(oldest);
  return true;
}

void WaiterWatch::forget(std::map<int32_t, Process>::iterator process) {
  thread_count_ -= process->second.threads.size();
  processes_.erase(process);
}

void WaiterWatch::forget_unused(int64_t now_ns) {
  for (auto at = processes_.begin(); at != processes_.end();) {
    const auto process = at++;
    if (now_ns - process->second.scanned_ns > kForgetAfter) forget(process);
  }
}

void WaiterWatch::forget_ended(Process& process) {
  thread_count_ -= std::erase_if(process.threads, [](const auto& t) { return !t.second.alive; });
}

}  // namespace plumb::sqlite_stats
