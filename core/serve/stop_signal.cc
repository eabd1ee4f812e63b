#include "core/serve/stop_signal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

namespace plumb::serve {
namespace {

// A handler has nothing but globals.
std::atomic<int> g_pipe_end{-1};
std::atomic<int> g_seen{0};
int g_read_end = -1;

void on_signal(int number) {
  const int saved = errno;
  if (g_seen.fetch_add(1) > 0) _exit(128 + number);
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const ssize_t ignored = write(g_pipe_end.load(), &byte, 1);
  errno = saved;
}

}  // namespace

Status install_stop_signals() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return Status::unavailable(std::string("no pipe for signals: ") + std::strerror(errno));
  }
  g_read_end = ends[0];
  g_pipe_end = ends[1];
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGTERM, &action, nullptr) != 0 || sigaction(SIGINT, &action, nullptr) != 0) {
    return Status::unavailable(std::string("no signal handler: ") + std::strerror(errno));
  }
  return Status::ok();
}

int wait_for_stop_signal() {
  unsigned char byte = 0;
  while (read(g_read_end, &byte, 1) < 0 && errno == EINTR) {
  }
  return byte;
}

}  // namespace plumb::serve
