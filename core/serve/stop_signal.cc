#include "core/serve/stop_signal.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace plumb::serve {
namespace {

sigset_t stop_signals() {
  sigset_t out;
  sigemptyset(&out);
  sigaddset(&out, SIGTERM);
  sigaddset(&out, SIGINT);
  return out;
}

void end_at_once(int number) { _exit(128 + number); }

}  // namespace

Status install_stop_signals() {
  const sigset_t signals = stop_signals();
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0)
    return Status::unavailable(std::string("signals cannot be blocked: ") + std::strerror(error));
  struct sigaction action {};
  action.sa_handler = end_at_once;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGTERM, &action, nullptr) != 0 || sigaction(SIGINT, &action, nullptr) != 0)
    return Status::unavailable(std::string("no signal handler: ") + std::strerror(errno));
  return Status::ok();
}

int wait_for_stop_signal() {
  const sigset_t signals = stop_signals();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // from here on the handler takes them
  return number;
}

}  // namespace plumb::serve
