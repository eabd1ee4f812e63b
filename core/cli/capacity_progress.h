// A capacity search as it goes on, told on stderr: a line for each probe, and on a terminal one
// that says what is under way.
#ifndef PLUMB_CORE_CLI_CAPACITY_PROGRESS_H_
#define PLUMB_CORE_CLI_CAPACITY_PROGRESS_H_

#include <string>
#include <string_view>

#include "core/base/mutex.h"
#include "core/capacity/search.h"
#include "core/cli/terminal.h"

namespace plumb::cli {

// "probe 4  824/s for 2.5 s  between 412 and 1,648/s"; a rate of 0 is an open end.
std::string probe_begins(size_t number, const capacity::ProbeRequest& request, double kept,
                         double missed);
// "probe 4  824/s  kept  p99 6.1 ms  errors 0%  between 824 and 1,648/s".
std::string probe_ended(size_t number, const capacity::Probe& probe, double kept, double missed);

class CapacityProgress final : public capacity::SearchObserver {
 public:
  CapacityProgress(const Terminal& terminal, bool quiet)
      : shows_(!quiet),
        redraws_(terminal.tty_err && !quiet),
        width_(static_cast<size_t>(terminal.width > 1 ? terminal.width - 1 : 1)) {}
  ~CapacityProgress() override { clear(); }

  void on_begin(size_t number, const capacity::ProbeRequest& request, double kept,
                double missed) override;
  void on_end(size_t number, const capacity::Probe& probe, double kept, double missed) override;
  void on_phase(const std::string& text) override;

  // A sentence on a line of its own, also when quiet. Any thread.
  void tell(std::string_view sentence) PLUMB_EXCLUDES(mutex_);
  // Takes the line away that is redrawn.
  void clear() PLUMB_EXCLUDES(mutex_);

 private:
  void draw(const std::string& line) PLUMB_EXCLUDES(mutex_);

  const bool shows_;
  const bool redraws_;
  const size_t width_;
  Mutex mutex_;  // lines are whole, whichever thread writes them
};

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_CAPACITY_PROGRESS_H_
