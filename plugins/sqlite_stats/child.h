// Test only: children that use SQLite, so that the watching process opens no connection (which
// alone would drop locks), and memory shared with them.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_CHILD_H_
#define PLUMB_PLUGINS_SQLITE_STATS_CHILD_H_

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <utility>
#include <vector>

namespace plumb::sqlite_stats {

inline int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// Runs `body` in a child, which ends with this process and in any case within `most_seconds`.
// Exit code 0, or 1 when it threw.
inline pid_t spawn(const std::function<void()>& body, unsigned most_seconds = 50) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(most_seconds);
  try {
    body();
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

inline int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

// Killed and reaped at the end, unless they were waited for.
class Children {
 public:
  Children() = default;
  ~Children() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids_) wait_for(pid);
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  pid_t add(const std::function<void()>& body, unsigned most_seconds = 50) {
    pids_.push_back(spawn(body, most_seconds));
    return pids_.back();
  }
  // True when all ended with 0.
  bool all_ended_well() {
    bool well = true;
    for (const pid_t pid : std::exchange(pids_, {})) well &= wait_for(pid) == 0;
    return well;
  }

 private:
  std::vector<pid_t> pids_;
};

// A T that children forked from now on share.
template <typename T>
class Shared {
 public:
  Shared()
      : value_(*new (::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                            -1, 0)) T) {}
  ~Shared() { ::munmap(&value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  T& value_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_CHILD_H_
