#include "core/capacity/probe.h"

#include <algorithm>
#include <cmath>

namespace plumb::capacity {
namespace {

constexpr double kMostBehind = 0.005;  // of the requests that were due
constexpr double kTurnedAway = 0.1;    // of the requests
constexpr double kUsualMedian = 1.5;   // times the baseline's
constexpr double kFewRequests = 3;
// Standard deviations of what chance brings. Two counts of the requests in work differ by
// sqrt(2 * busy), and random arrivals of a number n by sqrt(n).
constexpr double kBusyDeviations = 1.5;
constexpr double kArrivalDeviations = 0.8;

}  // namespace

std::string_view verdict_name(ProbeVerdict verdict) {
  switch (verdict) {
    case ProbeVerdict::kKept:
      return "kept";
    case ProbeVerdict::kMissed:
      return "missed";
    case ProbeVerdict::kGeneratorLimited:
      return "generator_limited";
    case ProbeVerdict::kInsufficient:
      return "insufficient";
  }
  return "insufficient";
}

bool falls_behind(const Backlog& backlog) {
  const double chance = kFewRequests + kBusyDeviations * std::sqrt(2 * backlog.busy);
  const double gaps = backlog.random_gaps ? kArrivalDeviations * std::sqrt(backlog.due) : 0;
  return backlog.due - backlog.ended > std::max({kMostBehind * backlog.due, chance, gaps});
}

bool is_full(const Probe& probe) { return probe.behind || probe.error_rate > kTurnedAway; }

void note_hiccup(Probe& probe, const Baseline& baseline) {
  probe.hiccup = probe.verdict == ProbeVerdict::kMissed && !is_full(probe) && probe.p50_s &&
                 *probe.p50_s <= kUsualMedian * baseline.p50_s;
}

}  // namespace plumb::capacity
