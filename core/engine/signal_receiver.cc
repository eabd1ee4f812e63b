#include "core/engine/signal_receiver.h"

#include <algorithm>
#include <utility>

#include "core/base/redact.h"
#include "core/host/protocol.h"

namespace plumb::engine {

SignalReceiver::SignalReceiver(std::string plugin, int64_t earliest_ns,
                               const std::vector<std::string>& secrets, SignalSink& sink,
                               SeriesIds& ids)
    : plugin_(std::move(plugin)), secrets_(secrets), sink_(sink), ids_(ids), check_(earliest_ns) {}

std::string SignalReceiver::redacted(std::string text) const {
  return redact(std::move(text), secrets_);
}

Status SignalReceiver::take(const host::Frame& frame, int64_t now_ns) {
  switch (frame.type) {
    case host::FrameType::kSeries:
      return take_series(frame);
    case host::FrameType::kSamples:
      return take_samples(frame, now_ns);
    case host::FrameType::kHistogram:
      return take_histogram(frame, now_ns);
    case host::FrameType::kEvent:
      return take_event(frame, now_ns);
    case host::FrameType::kTable:
      return take_table(frame, now_ns);
    case host::FrameType::kStacks:
      return take_stacks(frame, now_ns);
    default:
      return Status::invalid_argument("a frame that is no signal");
  }
}

Status SignalReceiver::take_series(const host::Frame& frame) {
  PLUMB_ASSIGN_OR_RETURN(SeriesInfo series, host::decode_series(frame.payload));
  PLUMB_ASSIGN_OR_RETURN(const auto declared, check_.declare(series));
  const auto& [id, is_new] = declared;
  if (!is_new || id != series.id) {
    return Status::invalid_argument("series " + series.name + " has the id " +
                                    std::to_string(series.id) + " where " +
                                    std::to_string(run_ids_.size() + 1) + " was due");
  }
  series.id = ids_.next();
  series.plugin = plugin_;
  for (auto& [name, value] : series.labels) value = redacted(std::move(value));
  run_ids_.push_back(series.id);
  sink_.on_series(series);
  return Status::ok();
}

Status SignalReceiver::take_samples(const host::Frame& frame, int64_t now_ns) {
  PLUMB_ASSIGN_OR_RETURN(std::vector<Sample> samples, host::decode_samples(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.samples(samples, now_ns));
  for (Sample& sample : samples) sample.series = run_ids_[sample.series - 1];
  if (!samples.empty()) sink_.on_samples(samples);
  return Status::ok();
}

Status SignalReceiver::take_histogram(const host::Frame& frame, int64_t now_ns) {
  PLUMB_ASSIGN_OR_RETURN(const host::HistogramMessage message,
                         host::decode_histogram(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.histogram(message, now_ns));
  sink_.on_histogram({run_ids_[message.series - 1], message.start_ns, message.end_ns,
                      Histogram::from_buckets(message.precision_bits, message.buckets.data(),
                                              message.buckets.size(), message.sum, message.minimum,
                                              message.maximum)});
  return Status::ok();
}

Status SignalReceiver::take_event(const host::Frame& frame, int64_t now_ns) {
  PLUMB_ASSIGN_OR_RETURN(Event event, host::decode_event(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.time(event.time_ns, now_ns));
  event.plugin = plugin_;
  event.message = redacted(std::move(event.message));
  event.attributes = redacted(std::move(event.attributes));
  sink_.on_event(event);
  return Status::ok();
}

Status SignalReceiver::take_table(const host::Frame& frame, int64_t now_ns) {
  PLUMB_ASSIGN_OR_RETURN(TableRecord table, host::decode_table(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.time(table.time_ns, now_ns));
  table.plugin = plugin_;
  table.json = redacted(std::move(table.json));
  sink_.on_table(table);
  return Status::ok();
}

Status SignalReceiver::take_stacks(const host::Frame& frame, int64_t now_ns) {
  PLUMB_ASSIGN_OR_RETURN(StackBatch batch, host::decode_stacks(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.stacks_order(batch, now_ns));
  batch.plugin = plugin_;
  batch.help = redacted(std::move(batch.help));
  for (FoldedStack& stack : batch.stacks) stack.frames = redacted(std::move(stack.frames));
  sink_.on_stacks(batch);
  return Status::ok();
}

Result<HealthChange> SignalReceiver::health_of(const host::Frame& frame, int64_t now_ns) const {
  PLUMB_ASSIGN_OR_RETURN(HealthChange change, host::decode_health(frame.payload));
  PLUMB_RETURN_IF_ERROR(check_.time(change.time_ns, now_ns));
  change.plugin = plugin_;
  change.message = redacted(std::move(change.message));
  return change;
}

}  // namespace plumb::engine
