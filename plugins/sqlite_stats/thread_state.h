// What one thread is doing at an instant, as far as waiting for SQLite's write lock goes.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_THREAD_STATE_H_
#define PLUMB_PLUGINS_SQLITE_STATS_THREAD_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/proc/file.h"

namespace plumb::sqlite_stats {

enum class ThreadState {
  kGone,       // the thread has ended
  kUnknown,    // the kernel does not let us look
  kActive,     // on a processor, runnable, or inside a write or sync of a file
  kBusySleep,  // asleep as SQLite's busy handler sleeps: usleep() of glibc
  kBlocked,  // waiting in the kernel for a file lock: SQLite built with SQLITE_ENABLE_SETLK_TIMEOUT
  kSleep,    // asleep in a relative timer, in a way that may or may not be a busy handler
  kElse,     // asleep in something that no busy handler uses
};

// From /proc/PID/task/TID/syscall. SQLite waits in usleep(), which glibc turns into
// clock_nanosleep(CLOCK_REALTIME, 0, ..., NULL); C++'s sleep_for passes the remainder's address,
// Python and Rust use an absolute or monotonic clock. So the arguments tell a busy handler from an
// application that sleeps inside its transaction. musl's usleep() looks like sleep_for: kSleep.
ThreadState parse_syscall(std::string_view text);

// From /proc/PID/task/TID/wchan; knows only kSleep, kElse and kUnknown ("0": running or hidden).
ThreadState parse_wchan(std::string_view text);

// The descriptor that the thread is inside an fsync or fdatasync of, from the same text.
std::optional<int> parse_sync(std::string_view text);

// The descriptor of the file whose lock the thread waits for in the kernel, likewise.
std::optional<int> parse_lock_wait(std::string_view text);

// The files of one thread, opened on first use and kept.
class ThreadFiles {
 public:
  // `directory` is /proc/PID/task/TID.
  explicit ThreadFiles(const std::string& directory);

  ThreadState state(proc::Buffer& buffer);
  // Of which descriptor the last state() found it in an fsync or fdatasync.
  std::optional<int> sync_of() const { return sync_of_; }
  // The lock of which descriptor it waited for where the last state() was kBlocked.
  std::optional<int> blocked_on() const { return blocked_on_; }
  // True once the system call turned out to be hidden, so that states come from wchan.
  bool only_wait_channel() const { return syscall_hidden_; }
  // How often it has been put on a processor; nothing when the kernel was built without scheduler
  // statistics.
  std::optional<uint64_t> timeslices(proc::Buffer& buffer);

 private:
  ThreadState wchan_state(proc::Buffer& buffer);

  proc::KeptFile syscall_;
  proc::KeptFile wchan_;
  proc::KeptFile schedstat_;
  bool syscall_hidden_ = false;
  std::optional<int> sync_of_;
  std::optional<int> blocked_on_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_THREAD_STATE_H_
