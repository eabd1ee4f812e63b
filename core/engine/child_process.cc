#include "core/engine/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 forgot to do this in the header itself.
extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "core/base/clock.h"

namespace plumb::engine {
namespace {

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

// ---- Between fork and exec: async-signal-safe calls only.

struct ChildFds {
  int from[4];
  int count;
};

// Moves `fds.from[i]` to descriptor i. First out of the way of the targets, so that none is
// overwritten before it is moved; dup2 also clears close-on-exec.
bool place_fds(ChildFds& fds) {
  for (int i = 0; i < fds.count; ++i) {
    fds.from[i] = ::fcntl(fds.from[i], F_DUPFD, 10);
    if (fds.from[i] < 0) return false;
  }
  for (int i = 0; i < fds.count; ++i) {
    if (::dup2(fds.from[i], i) < 0) return false;
  }
  return true;
}

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD}) {
    ::signal(signal, SIG_DFL);
  }
}

// Becomes the program; on failure says why through `report`.
[[noreturn]] void become(const char* const* argv, ChildFds fds, int report, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  reset_signals();
  const int moved = ::fcntl(report, F_DUPFD_CLOEXEC, fds.count);
  // A parent that ended before prctl took hold would never be noticed.
  if (::getppid() == parent && moved >= 0 && place_fds(fds)) {
    ::close_range(static_cast<unsigned>(fds.count), static_cast<unsigned>(moved) - 1, 0);
    ::close_range(static_cast<unsigned>(moved) + 1, UINT_MAX, 0);
    ::execvp(argv[0], const_cast<char* const*>(argv));
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t n = ::write(moved >= 0 ? moved : report, &error, sizeof(error));
  ::_exit(127);
}

// ----

Status start_failure(const std::string& program, int error) {
  const std::string message = "cannot start " + program + ": " + std::strerror(error);
  if (error == ENOENT) return Status::not_found(message);
  return error == EACCES ? Status::permission_denied(message) : Status::unavailable(message);
}

}  // namespace

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

std::string ChildEnd::text() const {
  return signal != 0 ? "was killed by " + signal_name(signal)
                     : "exited with code " + std::to_string(exit_code);
}

Result<ChildProcess> ChildProcess::spawn(const ChildSpec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) {
    return Status::invalid_argument("cannot start a program without a name");
  }
  const std::string& program = spec.argv[0];
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int report[2];
  if (!null || ::pipe2(report, O_CLOEXEC) != 0) return start_failure(program, errno);
  const UniqueFd report_in(report[0]);
  UniqueFd report_out(report[1]);
  const auto or_null = [&](int fd) { return fd < 0 ? null.get() : fd; };
  const ChildFds fds{{or_null(spec.input), or_null(spec.output), or_null(spec.errors), spec.extra},
                     spec.extra < 0 ? 3 : 4};
  std::vector<const char*> argv;
  for (const std::string& word : spec.argv) argv.push_back(word.c_str());
  argv.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return start_failure(program, errno);
  if (pid == 0) become(argv.data(), fds, report_out.get(), parent);
  // Here too, so that the group exists whichever of the two runs first.
  ::setpgid(pid, pid);
  report_out.reset();
  ChildProcess child(pid, UniqueFd(::pidfd_open(pid, 0)));
  int error = 0;
  ssize_t n = 0;
  do {
    n = ::read(report_in.get(), &error, sizeof(error));
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof(error))) {
    child.kill_and_reap();
    return start_failure(program, error);
  }
  if (child.pidfd() < 0) return start_failure(program, ENOSYS);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      end_(std::exchange(other.end_, std::nullopt)) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) kill_and_reap();
}

const std::optional<ChildEnd>& ChildProcess::poll_end() {
  if (end_ || pid_ <= 0) return end_;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return end_;
  }
  // What it started goes with it. Before it is reaped: until then its number cannot be another's.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  while (::wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ChildEnd end;
  end.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.exit_code = WEXITSTATUS(status);
  }
  end_ = end;
  return end_;
}

const std::optional<ChildEnd>& ChildProcess::wait_end(int64_t until_ns) {
  while (!poll_end()) {
    const int64_t left = until_ns - monotonic_ns();
    if (left <= 0) break;
    pollfd fd{pidfd_.get(), POLLIN, 0};
    ::poll(&fd, 1, static_cast<int>(std::min<int64_t>(left / 1'000'000 + 1, 60'000)));
  }
  return end_;
}

void ChildProcess::signal_group(int signal) {
  if (!poll_end() && pid_ > 0) ::kill(-pid_, signal);
}

const ChildEnd& ChildProcess::kill_and_reap() {
  while (!poll_end()) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    pollfd fd{pidfd_.get(), POLLIN, 0};
    ::poll(&fd, 1, 1'000);
  }
  return *end_;
}

}  // namespace plumb::engine
