// Ends a load that has gone wrong: watches the last seconds of it against the plan's limits.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ABORT_WATCH_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ABORT_WATCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/recorder.h"

namespace plumb::http_load {

// Passes intervals on. Not thread-safe.
class AbortWatch final : public IntervalSink {
 public:
  // Called once, with the sentence that says which limit was passed.
  using OnAbort = std::function<void(const std::string& sentence)>;

  // `sink` outlives the watch. The limits are judged over `limits.over_ns`, for the first time when
  // that has passed since `start_ns`.
  AbortWatch(const AbortLimits& limits, int64_t start_ns, IntervalSink& sink, OnAbort on_abort);
  void on_interval(const Interval& interval) override;

 private:
  // Running figures as of a cut, and what was answered in the interval that ends there.
  struct Cut {
    int64_t end_ns = 0;
    uint64_t scheduled = 0;
    uint64_t finished = 0;
    uint64_t failed = 0;
    Histogram response;
  };

  void judge();

  const AbortLimits limits_;
  IntervalSink& sink_;
  const OnAbort on_abort_;
  bool aborted_ = false;
  std::deque<Cut> cuts_;  // from the one before the window on
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ABORT_WATCH_H_
