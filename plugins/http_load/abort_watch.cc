#include "plugins/http_load/abort_watch.h"

#include <cstdio>
#include <utility>

namespace plumb::http_load {
namespace {

std::string formatted(const char* format, double a, double b, double c) {
  char text[200];
  std::snprintf(text, sizeof(text), format, a, b, c);
  return text;
}

}  // namespace

AbortWatch::AbortWatch(const AbortLimits& limits, int64_t start_ns, IntervalSink& sink,
                       OnAbort on_abort)
    : limits_(limits), sink_(sink), on_abort_(std::move(on_abort)) {
  cuts_.emplace_back();
  cuts_.back().end_ns = start_ns;
}

void AbortWatch::on_interval(const Interval& interval) {
  sink_.on_interval(interval);
  if (aborted_ || !limits_.any()) return;
  Cut& cut = cuts_.emplace_back();
  cut.end_ns = interval.end_ns;
  cut.scheduled = interval.totals.scheduled;
  cut.finished = interval.totals.finished;
  for (const Endings& endings : interval.endings) cut.failed += endings.failed;
  for (const EndpointInterval& endpoint : interval.endpoints)
    for (const Histogram& response : endpoint.response) (void)cut.response.merge(response);
  while (cuts_.size() > 2 && cuts_[1].end_ns <= cut.end_ns - limits_.over_ns) cuts_.pop_front();
  if (cut.end_ns - cuts_.front().end_ns >= limits_.over_ns) judge();
}

void AbortWatch::judge() {
  const Cut& before = cuts_.front();
  const Cut& now = cuts_.back();
  const auto finished = static_cast<double>(now.finished - before.finished);
  const auto scheduled = static_cast<double>(now.scheduled - before.scheduled);
  const double seconds = static_cast<double>(now.end_ns - before.end_ns) / 1e9;
  std::string sentence;
  const double failed = static_cast<double>(now.failed - before.failed);
  if (limits_.error_rate && finished > 0 && failed / finished > *limits_.error_rate)
    sentence = formatted("%.3g%% of the requests of the last %.3g s failed; at most %.3g%% may",
                         100 * failed / finished, seconds, 100 * *limits_.error_rate);
  // Of an open load that is due; a closed one waits for answers.
  if (limits_.rate && scheduled > 0 && finished / scheduled < *limits_.rate)
    sentence = formatted(
        "only %.3g%% of the requests due in the last %.3g s were answered; %.3g%% must be",
        100 * finished / scheduled, seconds, 100 * *limits_.rate);
  if (limits_.p99_ns) {
    Histogram response;
    for (size_t i = 1; i < cuts_.size(); ++i) (void)response.merge(cuts_[i].response);
    const double p99 = response.quantile(0.99).value_or(0);
    if (p99 > static_cast<double>(*limits_.p99_ns))
      sentence = formatted("p99 of the last %.3g s is %.4g ms; at most %.4g ms is allowed", seconds,
                           p99 / 1e6, static_cast<double>(*limits_.p99_ns) / 1e6);
  }
  if (sentence.empty()) return;
  aborted_ = true;
  on_abort_("load.abort: " + sentence + ".");
}

}  // namespace plumb::http_load
