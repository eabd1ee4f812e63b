// How many threads wait for the write locks of SQLite databases, and for which.
//
// The kernel does not know: SQLite polls for the lock, sleeping in between. So this is an
// inference. A thread counts as a waiter when its process has a database open whose lock somebody
// holds (or did within SQLite's longest sleep), and it is asleep as a busy handler sleeps. Taken
// off again are:
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
//
// One look serves all databases, and a waiter is counted once. Whose lock it waits for is certain
// where its process has only one contended database open, and where it waits in the kernel, whose
// answer names the file. A process with several has its waiters shared among them, in proportion
// to how much of late each one's lock was held.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "database_files.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "thread_state.h"

namespace plumb::sqlite_stats {

// What one look at the threads of one process found, idle timers and those that wait in the kernel
// left out.
struct ProcessSleep {
  int busy_sleepers = 0;
  int sleepers = 0;  // in relative timers that may or may not be a busy handler's
  int active = 0;    // running, runnable, or writing to a file
  bool holds = false;
  bool holder_found = false;  // one thread slept through the hold, and is not counted above
  bool uses_glibc = false;
};
int infer_waiters(const ProcessSleep& process);

// A database whose lock is held, or was so shortly ago that somebody may be asleep for it still.
struct Contention {
  bool held = false;
  bool held_lately = false;  // seen held, and not only concluded from a commit
  int32_t holder = 0;
  int64_t hold_start_ns = 0;
  double held_share = 1;                 // of the last second or so
  std::span<const int32_t> users = {};   // processes that have it open, ascending
  const DatabaseFiles* files = nullptr;  // tell whether a descriptor is of this database
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

  // Looks once at all threads of the processes that use one of `databases`. Of each database how
  // many wait for it, which is no whole number where waiters had to be shared; nothing where none
  // of its users lets us look. Valid until the next call.
  const std::vector<std::optional<double>>& scan(int64_t now_ns,
                                                 std::span<const Contention> databases);
  // Learns which threads sleep in timers anyway, from the processes that no scan has looked at for
  // so long that nobody in them can be waiting.
  void learn_idle(int64_t now_ns);

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
    std::vector<size_t> uses;     // which of the databases of the scan that looked last
    std::vector<int> blocked_on;  // by that scan: descriptors whose lock a thread waits for
    int64_t listed_ns = 0;
    int64_t scanned_ns = 0;
    std::optional<bool> uses_glibc;
    int hidden_looks = 0;
  };
  using Databases = std::span<const Contention>;

  void note_users(int64_t now_ns, Databases databases);
  void list_threads(int64_t now_ns, int32_t pid, Process& process);
  ProcessSleep look(int64_t now_ns, int32_t pid, Process& process, Databases databases);
  // True when the thread has not woken for longer than a busy handler ever sleeps.
  bool long_asleep(int64_t now_ns, Thread& thread);
  // Adds the process's waiters to waiting_.
  void attribute(int32_t pid, const Process& process, double sleepers, Databases databases);
  void share(int32_t pid, const Process& process, double waiters, Databases databases);
  // Makes room for a thread, by forgetting what this look does not need; false when there is none.
  bool make_room(int64_t now_ns);
  void forget(std::map<int32_t, Process>::iterator process);
  void forget_unused(int64_t now_ns);
  void forget_ended(Process& process);

  proc::Root root_;
  proc::Buffer buffer_;
  std::vector<SyncCall> syncs_;
  std::map<int32_t, Process> processes_;
  std::vector<std::optional<double>> waiting_;
  size_t thread_count_ = 0;
  bool truncated_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_WAITERS_H_
