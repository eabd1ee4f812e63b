#include "core/host/signal_check.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/host/json_fields.h"
#include "core/host/manifest.h"
#include "core/host/text.h"

namespace plumb::host {
namespace {

using nlohmann::json;

Status bad(const std::string& message) { return Status::invalid_argument(message); }

bool is_text(std::string_view text, size_t most) {
  return text.size() <= most && text.find('\0') == std::string_view::npos && is_utf8(text);
}

// [a-z][a-z0-9]* words joined by one of `joints`.
bool is_joined(std::string_view text, std::string_view joints, size_t most) {
  if (text.empty() || text.size() > most) return false;
  bool at_word_start = true;
  for (const char c : text) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    const bool joint = joints.find(c) != std::string_view::npos;
    if (at_word_start ? !(letter || digit) : !(letter || digit || joint)) return false;
    at_word_start = joint;
  }
  return !at_word_start;
}

// Units are words such as "seconds", "requests/s", "1".
bool is_unit(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

Status check_labels(const SeriesInfo& series) {
  if (series.labels.size() > kMaxLabels) {
    return bad("series " + series.name + ": more than " + std::to_string(kMaxLabels) + " labels");
  }
  const std::string* last = nullptr;
  for (const auto& [name, value] : series.labels) {
    if (!is_identifier(name, 64)) {
      return bad("series " + series.name + ": a label's name is not [a-z][a-z0-9_]*");
    }
    if (last != nullptr && *last >= name) {
      return bad("series " + series.name + ": label " + name + " is given twice or out of order");
    }
    last = &name;
    if (!is_text(value, kMaxText)) {
      return bad("series " + series.name + ": the value of label " + name +
                 " is not UTF-8 of at most " + std::to_string(kMaxText) + " bytes");
    }
  }
  return Status::ok();
}

Status check_columns(const json& columns, const std::string& name) {
  if (columns.empty()) return bad("table " + name + ": no columns");
  for (const json& column : columns) {
    JsonFields fields(column, "table " + name + ": a column");
    fields.text("key", kMaxName);
    fields.text("title", kMaxName);
    fields.optional_text("unit", kMaxName);
    PLUMB_RETURN_IF_ERROR(fields.status());
  }
  return Status::ok();
}

Status check_rows(const json& rows, size_t columns, const std::string& name) {
  for (const json& row : rows) {
    if (!row.is_array() || row.size() != columns) {
      return bad("table " + name + ": a row has another number of cells than there are columns");
    }
    for (const json& cell : row) {
      if (!cell.is_string() && !cell.is_number() && !cell.is_null()) {
        return bad("table " + name + ": a cell is no string, number or null");
      }
    }
  }
  return Status::ok();
}

}  // namespace

Status check_series(const SeriesInfo& series) {
  if (!is_identifier(series.name, kMaxName)) {
    return bad("a series' name is not [a-z][a-z0-9_]* of at most " + std::to_string(kMaxName) +
               " bytes");
  }
  const std::string where = "series " + series.name + ": ";
  if (series.kind < PLUMB_KIND_COUNTER || series.kind > PLUMB_KIND_HISTOGRAM) {
    return bad(where + "unknown kind " + std::to_string(series.kind));
  }
  if (series.kind == PLUMB_KIND_COUNTER && !series.name.ends_with("_total")) {
    return bad(where + "a counter's name ends in _total");
  }
  if (series.layer > PLUMB_LAYER_HOST) {
    return bad(where + "unknown layer " + std::to_string(series.layer));
  }
  if (series.part > PLUMB_PART_BUSY) {
    return bad(where + "unknown part " + std::to_string(series.part));
  }
  if (!is_unit(series.unit)) return bad(where + "the unit is not a word of at most 32 bytes");
  if (!is_text(series.help, kMaxText)) {
    return bad(where + "the help is not UTF-8 of at most " + std::to_string(kMaxText) + " bytes");
  }
  if (!series.ledger_line.empty() && !is_joined(series.ledger_line, "._-", kMaxName)) {
    return bad(where + "the ledger line is not words joined by dots");
  }
  if (!is_text(series.resource, kMaxName)) {
    return bad(where + "the resource is not UTF-8 of at most " + std::to_string(kMaxName) +
               " bytes");
  }
  return check_labels(series);
}

Status check_event(const Event& event) {
  if (!is_joined(event.kind, "-", 64)) return bad("an event's kind is not kebab-case");
  if (event.level < PLUMB_DEBUG || event.level > PLUMB_ERROR) {
    return bad("event " + event.kind + ": unknown level " + std::to_string(event.level));
  }
  if (!is_text(event.message, kMaxMessage)) {
    return bad("event " + event.kind + ": the message is not UTF-8 of at most " +
               std::to_string(kMaxMessage) + " bytes");
  }
  if (event.attributes.empty()) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(const json attributes, parse_json(event.attributes, kMaxAttributes,
                                                           "event " + event.kind + ": attributes"));
  if (!attributes.is_object()) return bad("event " + event.kind + ": attributes are no object");
  return Status::ok();
}

Status check_table(const TableRecord& table) {
  if (!is_identifier(table.name, kMaxName)) return bad("a table's name is not [a-z][a-z0-9_]*");
  const std::string where = "table " + table.name;
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(table.json, kMaxTableJson, where));
  JsonFields fields(object, where);
  fields.text("title", kMaxText);
  const json* columns = fields.array("columns", kMaxTableColumns);
  const json* rows = fields.array("rows", kMaxTableRows);
  PLUMB_RETURN_IF_ERROR(fields.status());
  PLUMB_RETURN_IF_ERROR(check_columns(*columns, table.name));
  return check_rows(*rows, columns->size(), table.name);
}

Status check_health(const HealthChange& change) {
  if (change.health < PLUMB_HEALTH_OK || change.health > PLUMB_HEALTH_DARK) {
    return bad("unknown health " + std::to_string(change.health));
  }
  if (!is_text(change.message, kMaxText))
    return bad("health: the message is not UTF-8 or too long");
  return Status::ok();
}

Status check_histogram(const HistogramMessage& h) {
  if (h.precision_bits < 2 || h.precision_bits > 14) {
    return bad("histogram: precision " + std::to_string(h.precision_bits) + " is not 2 to 14");
  }
  if (h.start_ns > h.end_ns) return bad("histogram: it ends before it starts");
  if (h.buckets.empty()) {
    if (h.sum == 0 && h.minimum == 0 && h.maximum == 0) return Status::ok();
    return bad("histogram: no buckets, yet a sum, minimum or maximum");
  }
  const uint32_t limit = Histogram::bucket_limit(h.precision_bits);
  uint64_t count = 0;
  for (size_t i = 0; i < h.buckets.size(); ++i) {
    const plumb_bucket& bucket = h.buckets[i];
    if (bucket.index >= limit) return bad("histogram: a bucket's index is past the last");
    if (i > 0 && bucket.index <= h.buckets[i - 1].index) {
      return bad("histogram: the buckets do not ascend");
    }
    if (bucket.count == 0) return bad("histogram: a bucket with a count of 0");
    if (__builtin_add_overflow(count, bucket.count, &count)) {
      return bad("histogram: the counts overflow");
    }
  }
  const bool extremes_fit =
      h.minimum <= h.maximum && h.maximum <= Histogram::kLargest &&
      Histogram::index_of(h.minimum, h.precision_bits) == h.buckets.front().index &&
      Histogram::index_of(h.maximum, h.precision_bits) == h.buckets.back().index;
  if (!extremes_fit) return bad("histogram: minimum or maximum lie outside the buckets");
  const bool sum_fits = static_cast<long double>(h.sum) >=
                            static_cast<long double>(h.minimum) * static_cast<long double>(count) &&
                        static_cast<long double>(h.sum) <=
                            static_cast<long double>(h.maximum) * static_cast<long double>(count);
  if (!sum_fits) return bad("histogram: no values between minimum and maximum have this sum");
  return Status::ok();
}

SignalCheck::Known* SignalCheck::find(uint32_t id) {
  return id >= 1 && id <= known_.size() ? &known_[id - 1] : nullptr;
}

Result<std::pair<uint32_t, bool>> SignalCheck::declare(const SeriesInfo& series) {
  PLUMB_RETURN_IF_ERROR(check_series(series));
  const std::pair key(series.name, series.labels);
  if (const auto it = ids_.find(key); it != ids_.end()) {
    const SeriesInfo& known = known_[it->second - 1].series;
    const bool same = known.kind == series.kind && known.unit == series.unit &&
                      known.layer == series.layer && known.part == series.part &&
                      known.ledger_line == series.ledger_line && known.resource == series.resource;
    if (same) return std::pair(it->second, false);
    return bad("series " + series.name + ": declared before with another meaning");
  }
  if (known_.size() >= kMaxSeries) {
    return Status::resource_exhausted("series " + series.name + ": more than " +
                                      std::to_string(kMaxSeries) + " series");
  }
  known_.push_back({series, earliest_ns_});
  const auto id = static_cast<uint32_t>(known_.size());
  ids_.emplace(key, id);
  return std::pair(id, true);
}

Status SignalCheck::time(int64_t time_ns, int64_t now_ns) const {
  if (time_ns < earliest_ns_) return bad("a time before the plugin began");
  if (time_ns > now_ns + kClockSlackNs) return bad("a time in the future");
  return Status::ok();
}

Status SignalCheck::samples(const std::vector<Sample>& samples, int64_t now_ns) {
  if (samples.size() > kMaxSamplesPerBatch) {
    return bad("a batch of more than " + std::to_string(kMaxSamplesPerBatch) + " samples");
  }
  for (const Sample& sample : samples) {
    Known* known = find(sample.series);
    if (known == nullptr) {
      return bad("a sample of series " + std::to_string(sample.series) + ", which is not declared");
    }
    const std::string& name = known->series.name;
    if (known->series.kind == PLUMB_KIND_HISTOGRAM) {
      return bad("series " + name + ": a sample of a histogram");
    }
    if (!std::isfinite(sample.value)) return bad("series " + name + ": a value that is not finite");
    if (const Status status = time(sample.time_ns, now_ns); !status.is_ok()) {
      return status.with_context("series " + name);
    }
    if (sample.time_ns < known->last_ns) {
      return bad("series " + name + ": a time before that of the last sample");
    }
    known->last_ns = sample.time_ns;
  }
  return Status::ok();
}

Status SignalCheck::histogram(const HistogramMessage& histogram, int64_t now_ns) {
  PLUMB_RETURN_IF_ERROR(check_histogram(histogram));
  Known* known = find(histogram.series);
  if (known == nullptr) {
    return bad("a histogram of series " + std::to_string(histogram.series) +
               ", which is not declared");
  }
  const std::string& name = known->series.name;
  if (known->series.kind != PLUMB_KIND_HISTOGRAM) {
    return bad("series " + name + ": a histogram of what is no histogram");
  }
  if (const Status status = time(histogram.start_ns, now_ns); !status.is_ok()) {
    return status.with_context("series " + name);
  }
  if (const Status status = time(histogram.end_ns, now_ns); !status.is_ok()) {
    return status.with_context("series " + name);
  }
  if (histogram.end_ns < known->last_ns) {
    return bad("series " + name + ": an end before that of the last histogram");
  }
  known->last_ns = histogram.end_ns;
  return Status::ok();
}

}  // namespace plumb::host
