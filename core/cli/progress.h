// The run as it goes on, told on stderr: one line that is redrawn on a terminal, a line every five
// seconds elsewhere.
#ifndef PLUMB_CORE_CLI_PROGRESS_H_
#define PLUMB_CORE_CLI_PROGRESS_H_

#include <string>
#include <string_view>
#include <thread>

#include "core/base/mutex.h"
#include "core/cli/terminal.h"
#include "core/session/live.h"

namespace plumb::cli {

// One line of at most `width` columns, without a line break.
std::string progress_line(const session::LiveSnapshot& now, size_t width);

// Shows `live` on a thread of its own from construction until stop().
class Progress {
 public:
  Progress(const session::Live& live, const Terminal& terminal);
  ~Progress() { stop(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Tells a sentence on a line of its own. Any thread.
  void say(std::string_view sentence) PLUMB_EXCLUDES(mutex_);
  // Takes the line away. Idempotent.
  void stop() PLUMB_EXCLUDES(mutex_);

 private:
  void show() PLUMB_EXCLUDES(mutex_);
  void draw() PLUMB_REQUIRES(mutex_);

  const session::Live& live_;
  const bool redraws_;
  const size_t width_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ PLUMB_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_PROGRESS_H_
