// How many threads wait for SQLite's write lock.
//
// The kernel does not know: SQLite polls for the lock, sleeping in between. So this is an
// inference. A thread counts as a waiter when its process has the database open, somebody holds the
// lock (or did within SQLite's longest sleep), and it is asleep as a busy handler sleeps. Taken off
// again are:
//  - idle timers: threads that stay in one sleep for longer than any step of SQLite's busy handler
//    (100 ms), and threads found asleep in most samples taken while the lock was free;
//  - the holder, which may itself sleep inside its transaction. POSIX locks name a process, not a
//    thread. In a process that uses glibc only usleep() counts, so the application's own sleeps
//    are told apart by their system call. Elsewhere (musl, or only wchan readable) one sleeper of
//    the holding process is taken for the holder, unless a thread of it is running or writing.
// Errors: one thread per holding process where the second rule must guess, or where the holder
// itself sleeps in usleep(); threads that call usleep() in steps below 250 ms for other ends, in an
// application that writes all the time, count while the lock is held; busy handlers of an
// application's own that wait otherwise (Go without C, sleep_for) are not seen.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "thread_state.h"

namespace plumb::sqlite_stats {

// What one look at the threads of one process found, idle timers left out.
struct ProcessSleep {
  int busy_sleepers = 0;
  int sleepers = 0;  // in relative timers that may or may not be a busy handler's
  int blocked = 0;   // for sure: waiting in the kernel for a file lock
  int active = 0;    // running, runnable, or writing to a file
  bool holds = false;
  bool holder_found = false;  // one thread slept through the hold, and is not counted above
  bool uses_glibc = false;
};
int infer_waiters(const ProcessSleep& process);

// The lock, as far as it matters here.
struct Contention {
  bool held = false;
  // Seen held so shortly ago that somebody may be asleep for it still.
  bool held_lately = false;
  int32_t holder = 0;
  int64_t hold_start_ns = 0;
};

// A thread that was found inside an fsync or fdatasync.
struct SyncCall {
  int32_t pid = 0;
  int descriptor = -1;
};

// Not thread-safe. Keeps descriptors of at most kMostThreads threads.
class WaiterWatch {
 public:
  static constexpr size_t kMostThreads = 300;

  explicit WaiterWatch(proc::Root root) : root_(std::move(root)) {}

  // Looks at all threads of `processes` (ascending). Meant for while the lock is held and shortly
  // after. Nothing when none of them lets us look.
  std::optional<int> scan(int64_t now_ns, const std::vector<int32_t>& processes,
                          const Contention& lock);
  // Learns which of the known threads sleep in timers anyway. To be called while nobody can be
  // waiting.
  void learn_idle();

  // Which of the threads the last scan found syncing a file.
  const std::vector<SyncCall>& syncs() const { return syncs_; }
  size_t threads() const { return thread_count_; }
  bool truncated() const { return truncated_; }

 private:
  struct Thread {
    explicit Thread(const std::string& directory) : files(directory) {}
    ThreadFiles files;
    std::optional<uint64_t> timeslices;
    int64_t asleep_since_ns = 0;  // the first look that found it in its present sleep
    int64_t checked_ns = 0;
    bool in_long_sleep = false;  // as of checked_ns
    bool idle_timer = false;
    int short_sleeps = 0;
    int free_looks = 0;
    int free_asleep = 0;
    bool counted = false;  // as a waiter, at the last look
    bool alive = true;

    bool sleeps_anyway() const;
  };
  struct Process {
    std::map<int32_t, Thread> threads;
    int64_t listed_ns = 0;
    std::optional<bool> uses_glibc;
    int hidden_looks = 0;
  };

  void list_threads(int64_t now_ns, int32_t pid, Process& process);
  ProcessSleep look(int64_t now_ns, int32_t pid, Process& process, const Contention& lock);
  // True when the thread has not woken for longer than a busy handler ever sleeps.
  bool long_asleep(int64_t now_ns, Thread& thread);
  void forget_absent(const std::vector<int32_t>& processes);

  proc::Root root_;
  proc::Buffer buffer_;
  std::vector<SyncCall> syncs_;
  std::map<int32_t, Process> processes_;
  size_t thread_count_ = 0;
  bool truncated_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_
