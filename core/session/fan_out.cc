#include "core/session/fan_out.h"

#include "core/base/redact.h"

namespace plumb::session {

void FanOut::on_series(const SeriesInfo& series) {
  SeriesInfo clean = series;
  clean.help = redact(std::move(clean.help), secrets_);
  for (auto& [name, value] : clean.labels) value = redact(std::move(value), secrets_);
  for (SignalSink* sink : sinks_) sink->on_series(clean);
}

void FanOut::on_samples(const std::vector<Sample>& samples) {
  for (SignalSink* sink : sinks_) sink->on_samples(samples);
}

void FanOut::on_histogram(const HistogramRecord& histogram) {
  for (SignalSink* sink : sinks_) sink->on_histogram(histogram);
}

void FanOut::on_event(const Event& event) {
  Event clean = event;
  clean.message = redact(std::move(clean.message), secrets_);
  clean.attributes = redact(std::move(clean.attributes), secrets_);
  for (SignalSink* sink : sinks_) sink->on_event(clean);
}

void FanOut::on_table(const TableRecord& table) {
  TableRecord clean = table;
  clean.json = redact(std::move(clean.json), secrets_);
  for (SignalSink* sink : sinks_) sink->on_table(clean);
}

void FanOut::on_stacks(const StackBatch& batch) {
  if (secrets_.empty()) {  // a batch is large
    for (SignalSink* sink : sinks_) sink->on_stacks(batch);
    return;
  }
  StackBatch clean = batch;
  clean.help = redact(std::move(clean.help), secrets_);
  for (FoldedStack& stack : clean.stacks) stack.frames = redact(std::move(stack.frames), secrets_);
  for (SignalSink* sink : sinks_) sink->on_stacks(clean);
}

void FanOut::on_health(const HealthChange& change) {
  HealthChange clean = change;
  clean.message = redact(std::move(clean.message), secrets_);
  for (SignalSink* sink : sinks_) sink->on_health(clean);
}

}  // namespace plumb::session
