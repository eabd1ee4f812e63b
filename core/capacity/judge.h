// What one probe's run says of its rate.
#ifndef PLUMB_CORE_CAPACITY_JUDGE_H_
#define PLUMB_CORE_CAPACITY_JUDGE_H_

#include <optional>
#include <vector>

#include "core/capacity/probe.h"
#include "core/facts/facts.h"
#include "core/plan/plan.h"
#include "core/store/run_file.h"

namespace plumb::capacity {

// What a rate must keep: the plan's objectives, without those on `rate`, which no low rate keeps.
// Failures are no capacity, so a plan without a limit on them gets error_rate <= 1%; one without
// any objective also gets a p99 of ten times the p99 of `baseline`, and at least 20 ms.
std::vector<plan::Slo> promises_of(const std::vector<plan::Slo>& slos, const Baseline& baseline);

// How a probe's load was made.
struct Setting {
  double rate = 0;           // requests/s
  int connections = 0;       // the most at a time; 0: unknown
  bool random_gaps = false;  // Poisson arrivals
};

// Judges the steady stage of a run whose plan holds the promises as its objectives. Nothing when
// the load plugin ended before its time: then there is nothing to judge.
//
// Where a promise is missed, the generator is held responsible first: its own processor time
// (validity.h), requests that it began late by a quarter of their 99th percentile or more, or all
// connections busy while the target answers as fast as at the baseline.
std::optional<Probe> judge(const store::RunData& run, const Setting& setting,
                           const Baseline& baseline);

// The closed-loop run of one user as a baseline; nothing when no request succeeded.
std::optional<Baseline> baseline_of(const store::RunData& run);

// When, in nanoseconds of the run's clock, the first of three windows of a second in a row began in
// which every promise was kept. Nothing: never.
std::optional<int64_t> recovered_at(const store::RunData& run);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_JUDGE_H_
