// A process that plumb started and answers for: in a process group of its own (so that Ctrl-C in a
// terminal does not reach it), ended by the kernel when plumb ends, never left as a zombie.
#ifndef PLUMB_CORE_ENGINE_CHILD_PROCESS_H_
#define PLUMB_CORE_ENGINE_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/unique_fd.h"

namespace plumb::engine {

struct ChildSpec {
  std::vector<std::string> argv;  // a name without '/' is looked for in PATH
  int input = -1;                 // descriptors that become 0, 1 and 2; -1: /dev/null
  int output = -1;
  int errors = -1;
  int extra = -1;  // becomes kExtraFd; -1: none. No other descriptor is passed on.
};

// How a process ended.
struct ChildEnd {
  int exit_code = 0;
  int signal = 0;          // 0 when it exited by itself
  double cpu_seconds = 0;  // user and system, over its whole life
  // "exited with code 3", "was killed by SIGSEGV".
  std::string text() const;
};

// One thread at a time, but for pid().
class ChildProcess {
 public:
  static constexpr int kExtraFd = 3;

  // The process dies with the thread that calls this, as well as with the whole of plumb. Fails
  // with the system's reason when the program cannot be started.
  static Result<ChildProcess> spawn(const ChildSpec& spec);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills and reaps what still runs.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Becomes readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }

  // How it ended, once it has; reaps it then, and kills what is left of its group.
  const std::optional<ChildEnd>& poll_end();
  // The same, waiting until then (CLOCK_MONOTONIC nanoseconds).
  const std::optional<ChildEnd>& wait_end(int64_t until_ns);
  // Sends a signal to the whole group, unless the process has ended.
  void signal_group(int signal);
  // SIGKILL to the whole group; returns when it has ended.
  const ChildEnd& kill_and_reap();

 private:
  ChildProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  UniqueFd pidfd_;
  std::optional<ChildEnd> end_;
};

// "SIGSEGV"; "signal 40" for what has no name.
std::string signal_name(int signal);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_CHILD_PROCESS_H_
