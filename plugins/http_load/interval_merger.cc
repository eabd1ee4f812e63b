#include "plugins/http_load/interval_merger.h"

#include <algorithm>
#include <utility>

namespace plumb::http_load {
namespace {

void merge_histogram(Histogram& into, const Histogram& from) { (void)into.merge(from); }

void merge_endpoint(EndpointInterval& into, const EndpointInterval& from) {
  for (size_t i = 0; i < into.response.size(); ++i) {
    merge_histogram(into.response[i], from.response[i]);
    merge_histogram(into.service[i], from.service[i]);
  }
  for (size_t i = 0; i < into.phases.size(); ++i) merge_histogram(into.phases[i], from.phases[i]);
  if (from.first_event) {
    if (!into.first_event) into.first_event.emplace();
    merge_histogram(*into.first_event, *from.first_event);
  }
  for (size_t i = 0; i < from.timings.size(); ++i) {
    const auto at =
        std::find(into.timing_names.begin(), into.timing_names.end(), from.timing_names[i]);
    const auto index = static_cast<size_t>(at - into.timing_names.begin());
    if (at == into.timing_names.end()) {
      into.timing_names.push_back(from.timing_names[i]);
      into.timings.emplace_back();
    }
    merge_histogram(into.timings[index], from.timings[i]);
  }
}

void add_totals_of(const Totals& from, Totals& into) {
  into.scheduled += from.scheduled;
  into.schedule_hash += from.schedule_hash;
  into.started += from.started;
  into.shed += from.shed;
  into.finished += from.finished;
  into.sent_bytes += from.sent_bytes;
  into.received_bytes += from.received_bytes;
  into.connections_opened += from.connections_opened;
}

}  // namespace

class IntervalMerger::WorkerSink final : public IntervalSink {
 public:
  WorkerSink(IntervalMerger& merger, size_t index) : merger_(merger), index_(index) {}
  void on_interval(const Interval& interval) override { merger_.take(index_, interval); }

 private:
  IntervalMerger& merger_;
  size_t index_;
};

IntervalMerger::IntervalMerger(size_t workers, size_t endpoints, int64_t start_ns)
    : endpoints_(endpoints), start_ns_(start_ns), workers_(workers) {
  for (size_t i = 0; i < workers; ++i) sinks_.push_back(std::make_unique<WorkerSink>(*this, i));
}

IntervalMerger::~IntervalMerger() = default;

IntervalSink& IntervalMerger::sink(size_t index) { return *sinks_[index]; }

void IntervalMerger::take(size_t index, const Interval& interval) {
  const std::lock_guard lock(mutex_);
  Merged& merged = cuts_[interval.end_ns];
  merged.endpoints.resize(endpoints_);
  merged.figures.resize(workers_.size());
  for (size_t i = 0; i < endpoints_; ++i)
    merge_endpoint(merged.endpoints[i], interval.endpoints[i]);
  Worker& worker = workers_[index];
  worker.passed_ns = interval.end_ns;
  worker.last = {{interval.outcomes.begin(), interval.outcomes.end()},
                 {interval.endings.begin(), interval.endings.end()},
                 interval.totals};
  merged.figures[index] = worker.last;
  changed_.notify_one();
}

void IntervalMerger::finished(size_t index) {
  const std::lock_guard lock(mutex_);
  workers_[index].finished = true;
  changed_.notify_one();
}

bool IntervalMerger::has_complete() const {
  return !cuts_.empty() && std::all_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.finished || worker.passed_ns >= cuts_.begin()->first;
  });
}

void IntervalMerger::add_outcomes(const Figures& figures) {
  for (const Outcome& outcome : figures.outcomes) {
    auto at = std::find_if(outcomes_.begin(), outcomes_.end(), [&](const Outcome& o) {
      return o.endpoint == outcome.endpoint && o.status == outcome.status &&
             o.error == outcome.error;
    });
    if (at == outcomes_.end()) {
      outcomes_.push_back(outcome);
      continue;
    }
    at->count += outcome.count;
    if (at->examples.empty()) at->examples = outcome.examples;
  }
}

void IntervalMerger::hand_on(int64_t end_ns, const Merged& merged, IntervalSink& sink) {
  for (Outcome& outcome : outcomes_) outcome.count = 0;
  std::vector<Endings> endings(endpoints_);
  Totals totals;
  for (size_t w = 0; w < workers_.size(); ++w) {
    // One that did not cut here has ended before.
    const Figures& figures = merged.figures[w] ? *merged.figures[w] : workers_[w].last;
    add_outcomes(figures);
    add_totals_of(figures.totals, totals);
    for (size_t i = 0; i < figures.endings.size(); ++i) {
      endings[i].scheduled += figures.endings[i].scheduled;
      endings[i].succeeded += figures.endings[i].succeeded;
      endings[i].failed += figures.endings[i].failed;
      endings[i].shed += figures.endings[i].shed;
    }
  }
  sink.on_interval({start_ns_, end_ns, merged.endpoints, outcomes_, endings, totals});
  start_ns_ = end_ns;
}

void IntervalMerger::run(IntervalSink& sink) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      return has_complete() || std::all_of(workers_.begin(), workers_.end(),
                                           [](const Worker& worker) { return worker.finished; });
    });
    if (cuts_.empty()) return;
    auto first = cuts_.extract(cuts_.begin());
    hand_on(first.key(), first.mapped(), sink);
  }
}

}  // namespace plumb::http_load
