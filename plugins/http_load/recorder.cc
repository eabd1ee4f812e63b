#include "plugins/http_load/recorder.h"

#include <algorithm>

#include "plugins/http_load/random.h"
#include "plugins/http_load/server_timing.h"

namespace plumb::http_load {
namespace {

constexpr size_t kMostTimingNames = 16;
// A target may answer with any status. Beyond this many different outcomes of the run, an
// endpoint's further ones are counted as status 0, error "other".
constexpr size_t kMostOutcomes = 500;
constexpr size_t kMostExamples = 3;
// Of each outcome, so that a flood of failures costs no more than answers do.
constexpr uint64_t kLookedAt = 100;

}  // namespace

Recorder::Recorder(std::span<const Request> requests, Intervals intervals, int64_t start_ns,
                   IntervalSink& sink)
    : requests_(requests),
      intervals_(std::move(intervals)),
      sink_(sink),
      start_ns_(start_ns),
      cut_ns_(intervals_.next_cut(start_ns)),
      endpoints_(requests.size()),
      endings_(requests.size()) {}

// A sum, so that workers that share a schedule come to the same hash as one alone.
void Recorder::arrived(uint64_t place, int64_t offset_ns, uint32_t endpoint) {
  const uint64_t when = Random(place).next() ^ static_cast<uint64_t>(offset_ns);
  totals_.schedule_hash += Random(Random(when).next() ^ endpoint).next();
}

void Recorder::scheduled(uint32_t endpoint) {
  ++totals_.scheduled;
  ++endings_[endpoint].scheduled;
}

void Recorder::shed(uint32_t endpoint) {
  ++totals_.shed;
  ++endings_[endpoint].shed;
}

void Recorder::hand_over(int64_t end_ns) {
  sink_.on_interval({start_ns_, end_ns, endpoints_, outcomes_, endings_, totals_});
  for (EndpointInterval& e : endpoints_) {
    for (Histogram& h : e.response) h.clear();
    for (Histogram& h : e.service) h.clear();
    for (Histogram& h : e.phases) h.clear();
    for (Histogram& h : e.timings) h.clear();
    if (e.first_event) e.first_event->clear();
  }
  start_ns_ = end_ns;
  cut_ns_ = intervals_.next_cut(end_ns);
}

void Recorder::advance(int64_t now_ns) {
  while (now_ns >= cut_ns_) hand_over(cut_ns_);
}

void Recorder::finish(int64_t now_ns) {
  advance(now_ns);
  if (now_ns > start_ns_) hand_over(now_ns);
}

Outcome& Recorder::outcome_of(const Completion& completion, bool failed) {
  const auto find = [&](int status, ErrorClass error) {
    return std::find_if(outcomes_.begin(), outcomes_.end(), [&](const Outcome& o) {
      return o.endpoint == completion.endpoint && o.status == status && o.error == error;
    });
  };
  auto at = find(completion.status, completion.error);
  if (at != outcomes_.end()) return *at;
  if (outcomes_.size() < kMostOutcomes)
    return outcomes_.emplace_back(
        Outcome{completion.endpoint, completion.status, completion.error, failed, 0, {}});
  at = find(0, ErrorClass::kOther);
  if (at != outcomes_.end()) return *at;
  return outcomes_.emplace_back(Outcome{completion.endpoint,
                                        0,
                                        ErrorClass::kOther,
                                        true,
                                        0,
                                        {"more different outcomes than are told apart"}});
}

void Recorder::keep_example(Outcome& outcome, const Completion& completion) const {
  if (outcome.examples.size() == kMostExamples) return;
  const Request& request = requests_[completion.endpoint];
  std::string example =
      completion.error != ErrorClass::kNone
          ? std::string(completion.detail)
          : request.method + " " + request.path + " answered " + std::to_string(completion.status);
  auto& kept = outcome.examples;
  if (std::find(kept.begin(), kept.end(), example) == kept.end())
    kept.push_back(std::move(example));
}

void Recorder::record_timings(EndpointInterval& endpoint, std::string_view headers) {
  ServerTimingReader reader(headers);
  while (const auto timing = reader.next()) {
    auto& names = endpoint.timing_names;
    const auto at = std::find(names.begin(), names.end(), timing->name);
    const auto index = static_cast<size_t>(at - names.begin());
    if (at == names.end()) {
      if (names.size() == kMostTimingNames) continue;
      names.emplace_back(timing->name);
      endpoint.timings.emplace_back();
    }
    endpoint.timings[index].record(timing->duration_ns);
  }
}

bool Recorder::record(const Completion& completion) {
  advance(completion.times.finished_ns);
  ++totals_.finished;
  totals_.sent_bytes += completion.sent_bytes;
  totals_.received_bytes += completion.received_bytes;
  totals_.connections_opened += completion.connections_opened;

  const Request& request = requests_[completion.endpoint];
  const bool ok = completion.error == ErrorClass::kNone && request.succeeds_with(completion.status);
  Outcome& outcome = outcome_of(completion, !ok);
  ++outcome.count;
  ++(ok ? endings_[completion.endpoint].succeeded : endings_[completion.endpoint].failed);
  if (!ok && outcome.count <= kLookedAt) keep_example(outcome, completion);

  EndpointInterval& endpoint = endpoints_[completion.endpoint];
  const size_t kind = ok ? 0 : 1;
  endpoint.response[kind].record(static_cast<uint64_t>(completion.times.response_ns()));
  if (ok || completion.times.was_sent)
    endpoint.service[kind].record(static_cast<uint64_t>(completion.times.service_ns()));
  if (!ok) return false;
  const auto phases = completion.times.phases();
  for (size_t i = 0; i < kPhases; ++i) endpoint.phases[i].record(static_cast<uint64_t>(phases[i]));
  if (completion.first_event_ns != 0) {
    if (!endpoint.first_event) endpoint.first_event.emplace();
    const Timeline& t = completion.times;
    const int64_t sending_began_ns = t.finished_ns - t.service_ns();
    endpoint.first_event->record(
        static_cast<uint64_t>(std::max<int64_t>(0, completion.first_event_ns - sending_began_ns)));
  }
  if (!completion.server_timing.empty()) record_timings(endpoint, completion.server_timing);
  return true;
}

}  // namespace plumb::http_load
