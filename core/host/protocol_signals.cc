// Series, events, tables and health as JSON; samples, histograms and stacks as bytes.
#include "core/base/json_text.h"
#include "core/host/json_fields.h"
#include "core/host/protocol.h"
#include "core/host/signal_check.h"
#include "core/host/wire.h"

namespace plumb::host {
namespace {

using nlohmann::json;

// An event's attributes or a table's JSON may double in size when escaped as a string.
constexpr size_t kMaxSignalJson = 2 * kMaxTableJson + 16'384;
constexpr size_t kSampleBytes = 20;
constexpr size_t kBucketBytes = 12;
constexpr size_t kLeastStackBytes = 10;
// What check_stacks passes fits a frame.
static_assert(kMaxStacks * kLeastStackBytes + kMaxStackBytes + 2 * kMaxText < kMaxPayload);

// Two bytes of length, and the text. What a check has passed is never longer than that can tell.
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<uint16_t>(text.size()));
  out += text;
}

bool take_text(std::string_view& in, std::string& text) {
  uint16_t size = 0;
  if (!take(in, size) || in.size() < size) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

json optional_json(const std::string& text) { return text.empty() ? json() : json(text); }

}  // namespace

std::string encode(const SeriesInfo& series) {
  json labels = json::array();
  for (const auto& [name, value] : series.labels) labels.push_back({name, value});
  return encode_frame(FrameType::kSeries,
                      json_text({{"id", series.id},
                                 {"name", series.name},
                                 {"unit", series.unit},
                                 {"help", series.help},
                                 {"kind", series.kind},
                                 {"layer", series.layer},
                                 {"part", series.part},
                                 {"labels", std::move(labels)},
                                 {"ledger_line", optional_json(series.ledger_line)},
                                 {"resource", optional_json(series.resource)}}));
}

Result<SeriesInfo> decode_series(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxSignalJson, "series"));
  JsonFields fields(object, "series");
  SeriesInfo out;
  out.id = fields.number32("id", 1, kMaxSeries);
  out.name = fields.text("name", kMaxName);
  out.unit = fields.text("unit", kMaxName);
  out.help = fields.text("help", kMaxText);
  out.kind = fields.number32("kind");
  out.layer = fields.number32("layer");
  out.part = fields.number32("part");
  out.ledger_line = fields.optional_text("ledger_line", kMaxName).value_or("");
  out.resource = fields.optional_text("resource", kMaxName).value_or("");
  const json* labels = fields.array("labels", kMaxLabels);
  PLUMB_RETURN_IF_ERROR(fields.status());
  for (const json& label : *labels) {
    if (!label.is_array() || label.size() != 2 || !label[0].is_string() || !label[1].is_string()) {
      return Status::invalid_argument("series: a label is not a pair of strings");
    }
    out.labels.emplace_back(label[0].get<std::string>(), label[1].get<std::string>());
  }
  PLUMB_RETURN_IF_ERROR(check_series(out));
  return out;
}

std::string encode(const Event& event) {
  return encode_frame(FrameType::kEvent,
                      json_text({{"time_ns", event.time_ns},
                                 {"level", event.level},
                                 {"kind", event.kind},
                                 {"message", event.message},
                                 {"attributes", optional_json(event.attributes)}}));
}

Result<Event> decode_event(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxSignalJson, "event"));
  JsonFields fields(object, "event");
  Event out;
  out.time_ns = fields.integer("time_ns", 0);
  out.level = fields.number32("level");
  out.kind = fields.text("kind", kMaxName);
  out.message = fields.text("message", kMaxMessage);
  out.attributes = fields.optional_text("attributes", kMaxAttributes).value_or("");
  PLUMB_RETURN_IF_ERROR(fields.status());
  PLUMB_RETURN_IF_ERROR(check_event(out));
  return out;
}

std::string encode(const TableRecord& table) {
  return encode_frame(
      FrameType::kTable,
      json_text({{"time_ns", table.time_ns}, {"name", table.name}, {"json", table.json}}));
}

Result<TableRecord> decode_table(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxSignalJson, "table"));
  JsonFields fields(object, "table");
  TableRecord out;
  out.time_ns = fields.integer("time_ns", 0);
  out.name = fields.text("name", kMaxName);
  out.json = fields.text("json", kMaxTableJson);
  PLUMB_RETURN_IF_ERROR(fields.status());
  PLUMB_RETURN_IF_ERROR(check_table(out));
  return out;
}

std::string encode(const HealthChange& change) {
  return encode_frame(FrameType::kHealth, json_text({{"time_ns", change.time_ns},
                                                     {"health", change.health},
                                                     {"message", change.message}}));
}

Result<HealthChange> decode_health(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxSignalJson, "health"));
  JsonFields fields(object, "health");
  HealthChange out;
  out.time_ns = fields.integer("time_ns", 0);
  out.health = fields.number32("health");
  out.message = fields.text("message", kMaxText);
  PLUMB_RETURN_IF_ERROR(fields.status());
  PLUMB_RETURN_IF_ERROR(check_health(out));
  return out;
}

std::string encode(const std::vector<Sample>& samples) {
  std::string payload;
  payload.reserve(sizeof(uint32_t) + samples.size() * kSampleBytes);
  put(payload, static_cast<uint32_t>(samples.size()));
  for (const Sample& sample : samples) {
    put(payload, sample.series);
    put(payload, sample.time_ns);
    put(payload, sample.value);
  }
  return encode_frame(FrameType::kSamples, payload);
}

Result<std::vector<Sample>> decode_samples(std::string_view payload) {
  uint32_t count = 0;
  if (!take(payload, count) || count > kMaxSamplesPerBatch ||
      payload.size() != count * kSampleBytes) {
    return Status::invalid_argument("samples: the count does not fit the size");
  }
  std::vector<Sample> out(count);
  for (Sample& sample : out) {
    const bool whole = take(payload, sample.series) && take(payload, sample.time_ns) &&
                       take(payload, sample.value);
    if (!whole) return Status::invalid_argument("samples: cut short");
  }
  return out;
}

Result<std::string> encode(const HistogramMessage& histogram) {
  std::string payload;
  put(payload, histogram.series);
  put(payload, histogram.start_ns);
  put(payload, histogram.end_ns);
  put(payload, histogram.precision_bits);
  put(payload, histogram.sum);
  put(payload, histogram.minimum);
  put(payload, histogram.maximum);
  put(payload, static_cast<uint32_t>(histogram.buckets.size()));
  for (const plumb_bucket& bucket : histogram.buckets) {
    put(payload, bucket.index);
    put(payload, bucket.count);
  }
  if (payload.size() > kMaxPayload) {
    return Status::resource_exhausted("a histogram of " + std::to_string(histogram.buckets.size()) +
                                      " buckets does not fit a frame: use a lower precision");
  }
  return encode_frame(FrameType::kHistogram, payload);
}

Result<HistogramMessage> decode_histogram(std::string_view payload) {
  HistogramMessage out;
  uint32_t count = 0;
  const bool whole = take(payload, out.series) && take(payload, out.start_ns) &&
                     take(payload, out.end_ns) && take(payload, out.precision_bits) &&
                     take(payload, out.sum) && take(payload, out.minimum) &&
                     take(payload, out.maximum) && take(payload, count);
  if (!whole || payload.size() != uint64_t{count} * kBucketBytes) {
    return Status::invalid_argument("histogram: the bucket count does not fit the size");
  }
  out.buckets.resize(count);
  for (plumb_bucket& bucket : out.buckets) {
    bucket.reserved = 0;
    if (!take(payload, bucket.index) || !take(payload, bucket.count)) {
      return Status::invalid_argument("histogram: cut short");
    }
  }
  PLUMB_RETURN_IF_ERROR(check_histogram(out));
  return out;
}

Result<std::string> encode(const StackBatch& batch) {
  PLUMB_RETURN_IF_ERROR(check_stacks(batch));
  std::string payload;
  put(payload, batch.layer);
  put(payload, batch.start_ns);
  put(payload, batch.end_ns);
  for (const std::string* text : {&batch.profile, &batch.unit, &batch.help}) {
    put_text(payload, *text);
  }
  put(payload, static_cast<uint32_t>(batch.stacks.size()));
  for (const FoldedStack& stack : batch.stacks) {
    put(payload, stack.weight);
    put_text(payload, stack.frames);
  }
  return encode_frame(FrameType::kStacks, payload);
}

Result<StackBatch> decode_stacks(std::string_view payload) {
  StackBatch out;
  uint32_t count = 0;
  const bool whole = take(payload, out.layer) && take(payload, out.start_ns) &&
                     take(payload, out.end_ns) && take_text(payload, out.profile) &&
                     take_text(payload, out.unit) && take_text(payload, out.help) &&
                     take(payload, count);
  if (!whole || count > payload.size() / kLeastStackBytes) {
    return Status::invalid_argument("stacks: the count does not fit the size");
  }
  out.stacks.resize(count);
  for (FoldedStack& stack : out.stacks) {
    if (!take(payload, stack.weight) || !take_text(payload, stack.frames)) {
      return Status::invalid_argument("stacks: cut short");
    }
  }
  if (!payload.empty()) return Status::invalid_argument("stacks: bytes behind the last one");
  PLUMB_RETURN_IF_ERROR(check_stacks(out));
  return out;
}

}  // namespace plumb::host
