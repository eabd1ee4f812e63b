// The search for the highest rate that a target keeps: climb, narrow, refine. Knows nothing of HTTP
// or of clocks: probes and time are injected.
#ifndef PLUMB_CORE_CAPACITY_SEARCH_H_
#define PLUMB_CORE_CAPACITY_SEARCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/capacity/edge.h"
#include "core/capacity/probe.h"

namespace plumb::capacity {

struct SearchOptions {
  double from = 0;  // requests/s of the first probe; 0: half of what one user at a time gets
  double tolerance = 0.02;  // of the rate, to either side
  double probe_s = 0;       // measured seconds of each probe; 0: by the rate
  double most_s = 600;      // for the whole search
  uint64_t seed = 1;
};

enum class Outcome {
  kCapacity,  // `capacity` holds
  kAtLeast,   // `highest_kept` was kept, and no higher rate could be judged
  kNever,     // not even the lowest rate was kept
  kUnknown    // nothing was found out
};
std::string_view outcome_name(Outcome outcome);  // capacity, at_least, never, unknown

enum class Ended {
  kConverged,
  kProbesUsed,  // the edge is blurred: more probes would not have helped much
  kTimeUsed,
  kGenerator,  // the generator was the limit
  kInsufficient,
  kInterrupted,
  kFailed  // `failure` says why
};
std::string_view ended_name(Ended ended);  // converged, probes_used, ...

struct SearchResult {
  Outcome outcome = Outcome::kUnknown;
  Ended ended = Ended::kConverged;
  Status failure = {};
  std::optional<Baseline> baseline = {};
  std::optional<Edge> capacity = {};
  double highest_kept = 0;   // requests/s; 0: none
  double lowest_missed = 0;  // 0: none
  // What was missed first just above the edge, and the sentence of the probe that shows it.
  std::string first_to_fail = {};
  std::string first_sentence = {};
  std::vector<Probe> probes = {};  // in the order in which they were made
  double seconds = 0;
};

// Told of the search on its own thread. Must not block.
class SearchObserver {
 public:
  virtual ~SearchObserver() = default;
  // `kept` and `missed` are the bracket so far; 0: open on that side.
  virtual void on_begin(size_t number, const ProbeRequest& request, double kept, double missed) = 0;
  virtual void on_end(size_t number, const Probe& probe, double kept, double missed) = 0;
  virtual void on_phase(const std::string& text) = 0;
};

// Blocks until the rate is known to `options.tolerance`, the time is used up, or `stop`; what is
// known by then is in the result. `seconds_now` is a monotonic clock.
//
// The same options and the same answers of the prober give the same probes.
SearchResult search(Prober& prober, const SearchOptions& options, SearchObserver& observer,
                    const std::function<double()>& seconds_now, std::stop_token stop);

// How much a probe is to tell.
enum class Depth {
  kScout,  // on which side of a far edge it lies: a hundred requests and a second
  kUsual,  // long enough for its 99th percentile: a thousand requests and two seconds
  kDeep    // where the edge is blurred: five times as long
};
// At most ten seconds are measured, whatever the depth.
ProbeRequest probe_at(double rate, const SearchOptions& options, Depth depth);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_SEARCH_H_
