// Ctrl-C: once ends the run in good order, twice at once.
#ifndef PLUMB_CORE_CLI_INTERRUPT_H_
#define PLUMB_CORE_CLI_INTERRUPT_H_

#include <functional>
#include <stop_token>
#include <thread>

namespace plumb::cli {

// While it lives, the first SIGINT, SIGTERM or SIGHUP requests the stop and calls `on_first` (on a
// thread of its own); the second ends the process with exit code 1. One at a time.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> on_first);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::function<void()> on_first_;
  std::stop_source stop_;
  int pipe_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_INTERRUPT_H_
