// Beyond the capacity: where the target breaks, and how long it takes to recover.
#ifndef PLUMB_CORE_CAPACITY_STRESS_H_
#define PLUMB_CORE_CAPACITY_STRESS_H_

#include <functional>
#include <optional>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/capacity/probe.h"
#include "core/capacity/search.h"

namespace plumb::capacity {

enum class Breaking {
  kErrors,     // more than half of the requests failed
  kCollapse,   // it answered a tenth less than it did at its peak
  kGenerator,  // no more load could be made
  kNone,       // neither, up to ten times the capacity
  kStopped     // interrupted, out of time, or failed
};
std::string_view breaking_name(Breaking breaking);  // errors, collapse, ...

struct StressResult {
  double peak = 0;     // requests answered per second, at most
  double peak_at = 0;  // the rate that was asked for then
  Breaking breaking = Breaking::kNone;
  double broke_at = 0;  // requests/s; 0: it did not
  std::optional<Recovery> recovery = {};
  double recovery_rate = 0;
  std::vector<Probe> probes = {};
  Status failure = {};
};

// Steps of half as much again above the capacity that was found, with no time to settle between
// them, then half of it at once. `most_s` bounds the whole. Needs `found.capacity`.
StressResult stress(Prober& prober, const SearchResult& found, double most_s,
                    const SearchOptions& options, SearchObserver& observer,
                    const std::function<double()>& seconds_now, std::stop_token stop);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_STRESS_H_
