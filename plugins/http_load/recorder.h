// Adds up what happened to requests, interval by interval, and hands each finished interval on.
// Memory does not grow with the number of requests. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_RECORDER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_RECORDER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <plumb/histogram.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/intervals.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

// What one endpoint's completions of one interval came to, in nanoseconds.
struct EndpointInterval {
  std::array<Histogram, 2> response;      // by outcome: 0 ok, 1 failed
  std::array<Histogram, 2> service;       // failed ones count once something was sent
  std::array<Histogram, kPhases> phases;  // ok only, each request once in each
  std::vector<std::string> timing_names;  // what the target declares: at most 16, kept for the run
  std::vector<Histogram> timings;         // beside timing_names, ok only
  // Ok only: from when a connection was ready to the first event, of answers that are streams.
  std::optional<Histogram> first_event;
};

// How often one endpoint ended in one way, over the whole run.
struct Outcome {
  uint32_t endpoint = 0;
  int status = 0;
  ErrorClass error = ErrorClass::kNone;
  bool failed = false;
  uint64_t count = 0;
  std::vector<std::string> examples;  // of a failed one: at most three that differ
};

// How the requests of one endpoint ended, over the whole run. Those that were scheduled and are in
// none of the other three are outstanding.
struct Endings {
  uint64_t scheduled = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t shed = 0;
};

// Running totals of the run. scheduled == started + shed once the load has ended, and
// started == finished + in flight always.
struct Totals {
  uint64_t scheduled = 0;
  // Of every arrival's place, instant (open model) and first endpoint, in whatever order.
  uint64_t schedule_hash = 0;
  uint64_t started = 0;
  uint64_t shed = 0;
  uint64_t finished = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t connections_opened = 0;
};

// Borrowed for the duration of the call.
struct Interval {
  int64_t start_ns;
  int64_t end_ns;
  std::span<const EndpointInterval> endpoints;  // by the plan's requests
  std::span<const Outcome> outcomes;            // only ever grows
  std::span<const Endings> endings;             // by the plan's requests
  const Totals& totals;
};

class IntervalSink {
 public:
  virtual ~IntervalSink() = default;
  virtual void on_interval(const Interval& interval) = 0;
};

class Recorder {
 public:
  // `requests` and `sink` outlive the recorder.
  Recorder(std::span<const Request> requests, Intervals intervals, int64_t start_ns,
           IntervalSink& sink);

  // An iteration begins with a request to `endpoint`. `offset_ns` is since the start of the load,
  // or 0 where answers decide when requests are due.
  void arrived(uint64_t place, int64_t offset_ns, uint32_t endpoint);
  void scheduled(uint32_t endpoint);
  void started() { ++totals_.started; }
  void shed(uint32_t endpoint);
  // Ends the intervals that are over by then, and counts the completion into the one it fell into.
  // Completions come in order of their end. True when it is a success.
  bool record(const Completion& completion);
  // Ends the intervals that are over by `now_ns`.
  void advance(int64_t now_ns);
  // Ends the last interval at `now_ns`, however short.
  void finish(int64_t now_ns);

  int64_t next_cut_ns() const { return cut_ns_; }
  const Totals& totals() const { return totals_; }
  std::span<const Outcome> outcomes() const { return outcomes_; }

 private:
  Outcome& outcome_of(const Completion& completion, bool failed);
  void keep_example(Outcome& outcome, const Completion& completion) const;
  void record_timings(EndpointInterval& endpoint, std::string_view headers);
  void hand_over(int64_t end_ns);

  std::span<const Request> requests_;
  Intervals intervals_;
  IntervalSink& sink_;
  int64_t start_ns_;
  int64_t cut_ns_;
  std::vector<EndpointInterval> endpoints_;
  std::vector<Outcome> outcomes_;
  std::vector<Endings> endings_;
  Totals totals_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_RECORDER_H_
