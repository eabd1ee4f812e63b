#include "core/cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

namespace plumb::cli {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

// A handler may touch these and write() only.
std::atomic<int> write_end{-1};
std::atomic<int> signals_seen{0};

void handle(int) {
  const int saved = errno;
  if (signals_seen.fetch_add(1) > 0) ::_exit(1);
  const char byte = 's';
  (void)!::write(write_end.load(), &byte, 1);
  errno = saved;
}

void install(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(std::function<void()> on_first) : on_first_(std::move(on_first)) {
  if (::pipe2(pipe_, O_CLOEXEC) != 0) return;
  write_end = pipe_[1];
  signals_seen = 0;
  thread_ = std::thread([this] {
    char byte = 0;
    ssize_t n = 0;
    do n = ::read(pipe_[0], &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1 || byte != 's') return;
    if (on_first_) on_first_();
    stop_.request_stop();
  });
  install(&handle);
}

Interrupt::~Interrupt() {
  if (pipe_[0] < 0) return;
  install(SIG_DFL);
  const char byte = 'q';
  (void)!::write(pipe_[1], &byte, 1);
  thread_.join();
  write_end = -1;
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

}  // namespace plumb::cli
