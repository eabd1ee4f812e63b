#include "plugins/http_load/emitter.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace plumb::http_load {
namespace {

uint32_t layer_of(size_t phase) {
  return phase == kDns || phase == kConnect || phase == kTls ? PLUMB_LAYER_NETWORK
                                                             : PLUMB_LAYER_CLIENT;
}

std::string joined(const std::vector<std::string>& examples) {
  std::string out;
  for (const std::string& example : examples) out += (out.empty() ? "" : " | ") + example;
  return out;
}

SeriesSpec histogram(std::string name, std::string help, uint32_t layer,
                     std::vector<std::pair<std::string, std::string>> labels) {
  return {.name = std::move(name),
          .unit = "seconds",
          .kind = PLUMB_KIND_HISTOGRAM,
          .layer = layer,
          .help = std::move(help),
          .labels = std::move(labels)};
}

}  // namespace

Status Emitter::declare_endpoints() {
  for (const Request& request : plan_.requests) {
    EndpointSeries& e = endpoints_.emplace_back();
    for (size_t kind = 0; kind < 2; ++kind) {
      const std::string outcome = kind == 0 ? "ok" : "failed";
      PLUMB_ASSIGN_OR_RETURN(
          e.response[kind],
          host_.declare(histogram("http_response_seconds", "Intended start to last byte",
                                  PLUMB_LAYER_CLIENT,
                                  {{"endpoint", request.name}, {"outcome", outcome}})));
      PLUMB_ASSIGN_OR_RETURN(
          e.service[kind],
          host_.declare(histogram("http_service_seconds", "Actual send to last byte",
                                  PLUMB_LAYER_CLIENT,
                                  {{"endpoint", request.name}, {"outcome", outcome}})));
    }
    for (size_t i = 0; i < kPhases; ++i) {
      PLUMB_ASSIGN_OR_RETURN(
          e.phases[i],
          host_.declare(histogram(
              "http_phase_seconds", "One phase of a request; the phases sum to its response time",
              layer_of(i), {{"endpoint", request.name}, {"phase", std::string(kPhaseNames[i])}})));
    }
    if (plan_.protocol == Protocol::kMcp) {
      PLUMB_ASSIGN_OR_RETURN(
          e.first_event,
          host_.declare(histogram("mcp_first_event_seconds",
                                  "Actual send to the first event of an answer that is a stream",
                                  PLUMB_LAYER_APP, {{"endpoint", request.name}})));
    }
  }
  return Status::ok();
}

Status Emitter::declare_totals() {
  const auto counter = [&](const char* name, const char* unit, const char* help,
                           uint32_t part = PLUMB_PART_NONE) {
    return host_.declare({.name = name,
                          .unit = unit,
                          .kind = PLUMB_KIND_COUNTER,
                          .layer = PLUMB_LAYER_CLIENT,
                          .part = part,
                          .help = help});
  };
  const auto gauge = [&](const char* name, const char* unit, const char* help) {
    return host_.declare({.name = name, .unit = unit, .layer = PLUMB_LAYER_CLIENT, .help = help});
  };
  TotalSeries& t = totals_;
  PLUMB_ASSIGN_OR_RETURN(t.scheduled,
                         counter("http_scheduled_total", "requests", "Requests that fell due"));
  PLUMB_ASSIGN_OR_RETURN(t.started, counter("http_started_total", "requests", "Requests started"));
  PLUMB_ASSIGN_OR_RETURN(
      t.shed, counter("http_shed_total", "requests", "Requests given up before their start",
                      PLUMB_PART_ERRORS));
  PLUMB_ASSIGN_OR_RETURN(t.in_flight,
                         gauge("http_in_flight", "requests", "Requests started and not finished"));
  PLUMB_ASSIGN_OR_RETURN(t.sent_bytes,
                         counter("http_sent_bytes_total", "bytes", "Bytes of requests sent"));
  PLUMB_ASSIGN_OR_RETURN(
      t.received_bytes, counter("http_received_bytes_total", "bytes", "Bytes of answers received"));
  PLUMB_ASSIGN_OR_RETURN(t.connections_opened, counter("http_connections_opened_total",
                                                       "connections", "Connections established"));
  if (plan_.has(Model::kOpen)) {
    PLUMB_ASSIGN_OR_RETURN(
        t.rate, gauge("load_target_rate", "requests/s", "The rate that the plan asks for"));
  }
  if (plan_.has(Model::kClosed)) {
    PLUMB_ASSIGN_OR_RETURN(t.users, gauge("load_users", "users", "Users that are at work"));
  }
  PLUMB_ASSIGN_OR_RETURN(t.cpu, counter("generator_cpu_seconds_total", "seconds",
                                        "Processor time of the load process", PLUMB_PART_BUSY));
  PLUMB_ASSIGN_OR_RETURN(
      t.throttled,
      counter("generator_throttled_seconds_total", "seconds",
              "Time the quota of its cgroup held the load process back", PLUMB_PART_WAIT));
  if (usage_.runqueue_seconds()) {
    PLUMB_ASSIGN_OR_RETURN(
        t.runqueue,
        counter("generator_runqueue_seconds_total", "seconds",
                "Time the load process was runnable and had no processor", PLUMB_PART_WAIT));
  }
  return Status::ok();
}

Status Emitter::begin() {
  PLUMB_RETURN_IF_ERROR(declare_endpoints());
  PLUMB_RETURN_IF_ERROR(declare_totals());
  add_totals(schedule_.start_ns(), schedule_.start_ns(), Totals{});
  return send();
}

void Emitter::add(Series series, int64_t time_ns, double value) {
  batch_.push_back({series.id, 0, time_ns, value});
}

// The load as it was asked for; of an instant the level that begins there.
void Emitter::add_load(int64_t start_ns, int64_t end_ns) {
  if (start_ns >= schedule_.end_ns()) return;
  const int64_t until_ns = std::clamp(end_ns, start_ns + 1, schedule_.end_ns());
  if (totals_.rate) {
    const double rate =
        plan_.replay_ns != nullptr ? plan_.rate : schedule_.rate(start_ns, until_ns);
    add(*totals_.rate, end_ns, rate);
  }
  if (totals_.users)
    add(*totals_.users, end_ns, static_cast<double>(schedule_.users(until_ns - 1)));
}

void Emitter::add_totals(int64_t start_ns, int64_t end_ns, const Totals& t) {
  const int64_t time_ns = end_ns;
  const auto count = [&](Series series, uint64_t value) {
    add(series, time_ns, static_cast<double>(value));
  };
  count(totals_.scheduled, t.scheduled);
  count(totals_.started, t.started);
  count(totals_.shed, t.shed);
  count(totals_.in_flight, t.started - t.finished);
  count(totals_.sent_bytes, t.sent_bytes);
  count(totals_.received_bytes, t.received_bytes);
  count(totals_.connections_opened, t.connections_opened);
  add_load(start_ns, end_ns);
  add(totals_.cpu, time_ns, usage_.cpu_seconds());
  add(totals_.throttled, time_ns, usage_.throttled_seconds().value_or(0));
  if (totals_.runqueue)
    if (const auto seconds = usage_.runqueue_seconds()) add(*totals_.runqueue, time_ns, *seconds);
}

Status Emitter::send() {
  const Status status = host_.emit(batch_);
  batch_.clear();
  return status;
}

Status Emitter::emit_histogram(Series series, const Interval& interval, const Histogram& h) {
  if (h.count() == 0) return Status::ok();
  return host_.emit(series, interval.start_ns, interval.end_ns, h);
}

Status Emitter::emit_endpoint(size_t index, const Interval& interval) {
  const EndpointInterval& data = interval.endpoints[index];
  EndpointSeries& series = endpoints_[index];
  for (size_t kind = 0; kind < 2; ++kind) {
    PLUMB_RETURN_IF_ERROR(emit_histogram(series.response[kind], interval, data.response[kind]));
    PLUMB_RETURN_IF_ERROR(emit_histogram(series.service[kind], interval, data.service[kind]));
  }
  for (size_t i = 0; i < kPhases; ++i)
    PLUMB_RETURN_IF_ERROR(emit_histogram(series.phases[i], interval, data.phases[i]));
  if (series.first_event && data.first_event)
    PLUMB_RETURN_IF_ERROR(emit_histogram(*series.first_event, interval, *data.first_event));
  for (size_t i = 0; i < data.timings.size(); ++i) {
    if (i == series.timings.size()) {
      auto declared = host_.declare(
          histogram("http_server_timing_seconds",
                    "A duration that the target declares in Server-Timing", PLUMB_LAYER_APP,
                    {{"endpoint", plan_.requests[index].name}, {"name", data.timing_names[i]}}));
      if (!declared.is_ok()) return declared.status();
      series.timings.push_back(*declared);
    }
    PLUMB_RETURN_IF_ERROR(emit_histogram(series.timings[i], interval, data.timings[i]));
  }
  return Status::ok();
}

// A series that is new begins with 0, so that its growth in its first interval is seen.
Status Emitter::declare_outcomes(const Interval& interval) {
  for (size_t i = outcome_series_.size(); i < interval.outcomes.size(); ++i) {
    const Outcome& o = interval.outcomes[i];
    auto declared = host_.declare({.name = "http_requests_total",
                                   .unit = "requests",
                                   .kind = PLUMB_KIND_COUNTER,
                                   .layer = PLUMB_LAYER_CLIENT,
                                   .part = o.failed ? PLUMB_PART_ERRORS : PLUMB_PART_NONE,
                                   .help = "Requests finished, by how they ended",
                                   .labels = {{"endpoint", plan_.requests[o.endpoint].name},
                                              {"status", std::to_string(o.status)},
                                              {"error", std::string(error_class_name(o.error))}}});
    if (!declared.is_ok()) return declared.status();
    outcome_series_.push_back(*declared);
    add(*declared, interval.start_ns, 0);
  }
  return Status::ok();
}

Status Emitter::emit(const Interval& interval) {
  PLUMB_RETURN_IF_ERROR(declare_outcomes(interval));
  for (size_t i = 0; i < outcome_series_.size(); ++i)
    add(outcome_series_[i], interval.end_ns, static_cast<double>(interval.outcomes[i].count));
  add_totals(interval.start_ns, interval.end_ns, interval.totals);
  PLUMB_RETURN_IF_ERROR(send());
  for (size_t i = 0; i < endpoints_.size(); ++i) PLUMB_RETURN_IF_ERROR(emit_endpoint(i, interval));
  return Status::ok();
}

void Emitter::on_interval(const Interval& interval) {
  note(emit(interval));
  if (tools_) tools_->add(interval);
  scheduled_ = interval.totals.scheduled;
  schedule_hash_ = interval.totals.schedule_hash;
  endings_.assign(interval.endings.begin(), interval.endings.end());
  failures_.clear();
  for (const Outcome& o : interval.outcomes)
    if (o.failed) failures_.push_back(o);
  errors_flushed_ = failures_.empty();
  if (failures_.size() > failure_kinds_emitted_) flush_errors();
}

void Emitter::flush_errors() {
  if (errors_flushed_) return;
  nlohmann::json rows = nlohmann::json::array();
  for (const Outcome& o : failures_)
    rows.push_back({plan_.requests[o.endpoint].name, error_class_name(o.error), o.status, o.count,
                    joined(o.examples)});
  const nlohmann::json table = {{"title", "Failed requests"},
                                {"columns",
                                 {{{"key", "endpoint"}, {"title", "Endpoint"}},
                                  {{"key", "class"}, {"title", "Class"}},
                                  {{"key", "status"}, {"title", "Status"}},
                                  {{"key", "count"}, {"title", "Count"}},
                                  {{"key", "example"}, {"title", "Examples"}}}},
                                {"rows", rows}};
  // What a server says may be no UTF-8.
  note(host_.table("http_errors",
                   table.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  failure_kinds_emitted_ = failures_.size();
  errors_flushed_ = true;
}

void Emitter::emit_summary() {
  emit_schedule();
  emit_endings();
  emit_tools();
}

void Emitter::emit_endings() {
  nlohmann::json rows = nlohmann::json::array();
  for (size_t i = 0; i < endings_.size(); ++i) {
    const Endings& e = endings_[i];
    rows.push_back({plan_.requests[i].name, e.scheduled, e.succeeded, e.failed, e.shed,
                    e.scheduled - e.succeeded - e.failed - e.shed});
  }
  const nlohmann::json table = {{"title", "What became of the scheduled requests"},
                                {"columns",
                                 {{{"key", "endpoint"}, {"title", "Endpoint"}},
                                  {{"key", "scheduled"}, {"title", "Scheduled"}},
                                  {{"key", "sent"}, {"title", "Sent and answered"}},
                                  {{"key", "failed"}, {"title", "Failed"}},
                                  {{"key", "shed"}, {"title", "Shed"}},
                                  {{"key", "outstanding"}, {"title", "Outstanding"}}}},
                                {"rows", rows}};
  note(host_.table("http_endings", table.dump()));
}

void Emitter::emit_schedule() {
  char hash[17];
  std::snprintf(hash, sizeof(hash), "%016llx", static_cast<unsigned long long>(schedule_hash_));
  const bool open = plan_.has(Model::kOpen);
  const char* model = !open ? "closed" : plan_.has(Model::kClosed) ? "open and closed" : "open";
  const char* arrivals = !open                        ? "answers"
                         : plan_.replay_ns != nullptr ? "replay"
                         : plan_.poisson              ? "poisson"
                                                      : "constant";
  const nlohmann::json table = {{"title", "Schedule"},
                                {"columns",
                                 {{{"key", "model"}, {"title", "Model"}},
                                  {{"key", "arrivals"}, {"title", "Arrivals"}},
                                  {{"key", "seed"}, {"title", "Seed"}},
                                  {{"key", "scheduled"}, {"title", "Scheduled"}},
                                  {{"key", "hash"}, {"title", "Hash"}}}},
                                {"rows", nlohmann::json::array({nlohmann::json::array(
                                             {model, arrivals, plan_.seed, scheduled_, hash})})}};
  note(host_.table("http_schedule", table.dump()));
}

void Emitter::emit_tools() {
  if (!tools_) return;
  note(host_.table("mcp_tools", tools_->to_json().dump(-1, ' ', false,
                                                       nlohmann::json::error_handler_t::replace)));
}

void Emitter::note(const Status& status) {
  if (status.is_ok() || trouble_logged_) return;
  trouble_logged_ = true;
  host_.log(PLUMB_WARNING, "http_load: " + status.message());
}

}  // namespace plumb::http_load
