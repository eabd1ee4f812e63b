#include "core/imports/run_recorder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

using nlohmann::json;

constexpr size_t kMostHeldValues = 1'000'000;
constexpr size_t kMostHeldCells = 50'000;
constexpr size_t kHistogramsPerFlush = 256;
constexpr size_t kMostEndpoints = 200;
constexpr size_t kMostSeconds = 1'000'000;  // eleven days
constexpr size_t kMostFailureKinds = 500;
constexpr size_t kLongestExample = 200;

// The series of an endpoint, in this order.
enum SeriesSlot : uint32_t {
  kResponseOk,
  kResponseFailed,
  kServiceOk,
  kServiceFailed,
  kFirstPhase
};
constexpr uint32_t kSlots = kFirstPhase + static_cast<uint32_t>(kPhaseNames.size());

SeriesInfo latency_series(const std::string& tool, const char* name, const char* help,
                          uint32_t layer, Labels labels) {
  SeriesInfo out;
  out.plugin = tool;
  out.name = name;
  out.unit = "seconds";
  out.help = help;
  out.kind = PLUMB_KIND_HISTOGRAM;
  out.layer = layer;
  out.labels = std::move(labels);
  return out;
}

json column_json(const char* key, const char* title) { return {{"key", key}, {"title", title}}; }

}  // namespace

void RunRecorder::declare_endpoint(const std::string& endpoint) {
  for (const char* outcome : {"ok", "failed"})
    series_.push_back(latency_series(tool_, "http_response_seconds",
                                     "Start of the request to its last byte", PLUMB_LAYER_CLIENT,
                                     {{"endpoint", endpoint}, {"outcome", outcome}}));
  for (const char* outcome : {"ok", "failed"})
    series_.push_back(latency_series(tool_, "http_service_seconds", "Sending to last byte",
                                     PLUMB_LAYER_CLIENT,
                                     {{"endpoint", endpoint}, {"outcome", outcome}}));
  for (size_t phase = 0; phase < kPhaseNames.size(); ++phase) {
    const bool network = phase == kDns || phase == kConnect || phase == kTls;
    series_.push_back(
        latency_series(tool_, "http_phase_seconds", "One phase of a request",
                       network ? PLUMB_LAYER_NETWORK : PLUMB_LAYER_CLIENT,
                       {{"endpoint", endpoint}, {"phase", std::string(kPhaseNames[phase])}}));
  }
}

uint32_t RunRecorder::series_of(std::string_view endpoint) {
  auto found = endpoints_.find(endpoint);
  if (found != endpoints_.end()) return found->second;
  std::string name(endpoint);
  if (endpoints_.size() >= kMostEndpoints) {
    name = "(others)";
    endpoints_folded_ = true;
    found = endpoints_.find(name);
    if (found != endpoints_.end()) return found->second;
  }
  const auto first = static_cast<uint32_t>(series_.size());
  endpoints_.emplace(name, first);
  declare_endpoint(name);
  return first;
}

void RunRecorder::cover(int64_t start_ns, int64_t end_ns) {
  shape_.start_ns = covered_ ? std::min(shape_.start_ns, start_ns) : start_ns;
  shape_.end_ns = covered_ ? std::max(shape_.end_ns, end_ns) : end_ns;
  covered_ = true;
}

void RunRecorder::on_span(int64_t start_ns, int64_t end_ns) { cover(start_ns, end_ns); }

void RunRecorder::on_request(const Request& request) {
  if (!status_.is_ok()) return;
  // One that ends as a second does belongs to the second that it closes.
  const int64_t second = std::max<int64_t>(request.end_ns - 1, 0) / kSecondNs;
  cover(request.end_ns - request.response_ns, request.end_ns);
  shape_.ended[second] += 1;
  if (shape_.ended.size() > kMostSeconds) {
    status_ = Status::invalid_argument(
        "its requests are spread over more than a million different seconds; is the unit of its "
        "times right?");
    return;
  }
  ++requests_;
  if (request.phases[kConnect] != kUnknown) opened_[second] += request.phases[kConnect] > 0 ? 1 : 0;
  const uint32_t first = series_of(request.endpoint);
  keep(first + (request.failed ? kResponseFailed : kResponseOk), second, request.response_ns);
  if (request.service_ns != kUnknown)
    keep(first + (request.failed ? kServiceFailed : kServiceOk), second, request.service_ns);
  if (request.failed) {
    count_failure(request);
  } else {
    // As http_load has it: the phases of those that succeeded.
    for (uint32_t phase = 0; phase < kPhaseNames.size(); ++phase)
      if (request.phases[phase] != kUnknown)
        keep(first + kFirstPhase + phase, second, request.phases[phase]);
  }
  if (held_values_ >= kMostHeldValues || held_.size() >= kMostHeldCells) status_ = write_held();
}

void RunRecorder::keep(uint32_t series, int64_t second, int64_t value_ns) {
  held_[{second, series}].push_back(static_cast<uint64_t>(value_ns));
  ++held_values_;
}

void RunRecorder::count_failure(const Request& request) {
  std::string endpoint(request.endpoint);
  if (!endpoints_.contains(endpoint)) endpoint = "(others)";
  FailureKey key{{std::move(endpoint), request.status}, std::string(request.error_class)};
  if (failures_.size() >= kMostFailureKinds && !failures_.contains(key))
    key = {{"(others)", 0}, "other"};
  Failures& failures = failures_[std::move(key)];
  ++failures.count;
  if (failures.example.empty())
    failures.example = std::string(request.example.substr(0, kLongestExample));
}

void RunRecorder::on_gauge(std::string_view name, std::string_view unit, int64_t time_ns,
                           double value) {
  if (!status_.is_ok()) return;
  auto found = gauges_.find(name);
  if (found == gauges_.end()) {
    SeriesInfo info;
    info.plugin = tool_;
    info.name = name;
    info.unit = unit;
    info.layer = PLUMB_LAYER_CLIENT;
    found = gauges_.emplace(std::string(name), static_cast<uint32_t>(series_.size())).first;
    series_.push_back(std::move(info));
  }
  samples_.push_back({found->second, time_ns, value});
  if (name == "load_users" && shape_.users.size() < kMostSeconds)
    shape_.users[time_ns / kSecondNs] = value;
  if (samples_.size() >= kMostHeldValues) status_ = write_held();
}

void RunRecorder::on_note(const std::string& sentence, bool limits) {
  notes_.emplace_back(sentence, limits);
}

Status RunRecorder::write_held() {
  if (!writer_) {
    if (!covered_) return Status::invalid_argument("there is no request in it");
    PLUMB_ASSIGN_OR_RETURN(writer_, create_(shape_.start_ns, shape_.end_ns));
  }
  // Ids begin with 1.
  for (; declared_ < series_.size(); ++declared_) {
    series_[declared_].id = static_cast<uint32_t>(declared_ + 1);
    writer_->on_series(series_[declared_]);
  }
  for (Sample& sample : samples_) ++sample.series;
  std::stable_sort(samples_.begin(), samples_.end(),
                   [](const Sample& a, const Sample& b) { return a.time_ns < b.time_ns; });
  if (!samples_.empty()) writer_->on_samples(samples_);
  samples_.clear();
  size_t written = 0;
  for (const auto& [key, values] : held_) {
    const auto& [second, series] = key;
    HistogramRecord record;
    record.series = series + 1;
    record.start_ns = std::max(second * kSecondNs, shape_.start_ns);
    record.end_ns =
        std::max(std::min((second + 1) * kSecondNs, shape_.end_ns), record.start_ns + 1);
    for (const uint64_t value : values) record.histogram.record(value);
    writer_->on_histogram(record);
    // The writer holds what it is given until it is flushed.
    if (++written % kHistogramsPerFlush == 0) {
      PLUMB_RETURN_IF_ERROR(writer_->flush());
    }
  }
  held_.clear();
  held_values_ = 0;
  return writer_->flush();
}

// A request that spent time connecting has opened a connection.
void RunRecorder::write_connections() {
  if (opened_.empty()) return;
  SeriesInfo info;
  info.plugin = tool_;
  info.name = "http_connections_opened_total";
  info.unit = "connections";
  info.help = "Requests that had to connect first";
  info.kind = PLUMB_KIND_COUNTER;
  info.layer = PLUMB_LAYER_CLIENT;
  const auto series = static_cast<uint32_t>(series_.size());
  series_.push_back(std::move(info));
  uint64_t total = 0;
  samples_.push_back({series, shape_.start_ns, 0});
  for (const auto& [second, count] : opened_) {
    total += count;
    const int64_t end_ns = std::min((second + 1) * kSecondNs, shape_.end_ns);
    samples_.push_back({series, end_ns, static_cast<double>(total)});
  }
}

void RunRecorder::write_summary(int64_t end_ns) {
  std::string missing;
  for (const auto& [sentence, limits] : notes_) {
    writer_->on_event(
        {tool_, end_ns, PLUMB_INFO, limits ? "import-limit" : "import-note", sentence});
    if (limits) missing += (missing.empty() ? "" : " ") + sentence;
  }
  // One change for all: the last one of a plugin is its state.
  if (!missing.empty())
    writer_->on_health({tool_, shape_.start_ns, PLUMB_HEALTH_DEGRADED, missing});
  if (facts_.empty()) return;
  json told = json::array();
  for (const ToldFact& fact : facts_) {
    json labels = json::object();
    if (!fact.endpoint.empty()) labels["endpoint"] = fact.endpoint;
    told.push_back({{"name", fact.name},
                    {"value", fact.value},
                    {"unit", fact.unit},
                    {"labels", std::move(labels)},
                    {"source", tool_}});
  }
  writer_->set_document("told_facts", told);
}

void RunRecorder::write_errors(int64_t end_ns) {
  if (failures_.empty()) return;
  json rows = json::array();
  for (const auto& [key, failures] : failures_)
    rows.push_back(
        {key.first.first, key.second, key.first.second, failures.count, failures.example});
  const json table = {{"title", "Failed requests"},
                      {"columns",
                       {column_json("endpoint", "Endpoint"), column_json("class", "Class"),
                        column_json("status", "Status"), column_json("count", "Count"),
                        column_json("example", "Example")}},
                      {"rows", std::move(rows)}};
  writer_->on_table({tool_, end_ns, "http_errors", json_text(table)});
}

Status RunRecorder::check_steady(const std::pair<double, double>& steady) {
  if (!facts_.empty())
    return Status::invalid_argument("--steady: " + tool_ +
                                    " told figures of the whole run, of which no part can be "
                                    "judged alone");
  const double length_s = static_cast<double>(shape_.end_ns - shape_.start_ns) / 1e9;
  if (steady.first >= length_s)
    return Status::invalid_argument("--steady begins " + seconds_text(steady.first) +
                                    " after the first request, and the last ended after " +
                                    seconds_text(length_s));
  if (steady.second > length_s)
    notes_.emplace_back("--steady ends at " + seconds_text(steady.second) +
                            ", and the last request at " + seconds_text(length_s) + ".",
                        false);
  return Status::ok();
}

Status RunRecorder::finish(const std::optional<std::pair<double, double>>& steady) {
  PLUMB_RETURN_IF_ERROR(status_);
  if (steady) {
    PLUMB_RETURN_IF_ERROR(check_steady(*steady));
  }
  // A run of a single instant has no length that a rate could be of.
  if (covered_) shape_.end_ns = std::max(shape_.end_ns, shape_.start_ns + 1);
  if (endpoints_folded_)
    notes_.emplace_back("There are more than " + std::to_string(kMostEndpoints) +
                            " endpoints; the later ones are counted together as (others).",
                        true);
  write_connections();
  PLUMB_RETURN_IF_ERROR(write_held());
  // Facts that the tool computed speak of the whole run, so all of it is judged.
  if (!facts_.empty())
    writer_->set_stages({{PLUMB_STAGE_STEADY, "whole run", shape_.start_ns, shape_.end_ns}});
  else
    writer_->set_stages(find_stages(shape_, steady));
  write_summary(shape_.end_ns);
  write_errors(shape_.end_ns);
  return writer_->finish(store::RunState::kFinished);
}

}  // namespace plumb::imports
