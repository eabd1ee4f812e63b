// All runs of one plan, in the order in which they were made, and where the service changed.
#ifndef PLUMB_CORE_COMPARE_TREND_H_
#define PLUMB_CORE_COMPARE_TREND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/facts/change_points.h"

namespace plumb::compare {

// One run of the history. What is not known is empty.
struct HistoryRun {
  std::string id;
  int64_t started_unix_ms = 0;
  bool valid = false;  // an invalid run is listed, but no change rests on it
  std::string verdict;
  std::string cause;  // of its bottleneck, or empty
  std::optional<double> p50_s;
  std::optional<double> p95_s;
  std::optional<double> p99_s;
  std::optional<double> rate;
  std::optional<double> error_rate;
};

struct TrendChange {
  std::string metric;  // p50 p95 p99 rate error_rate
  std::string run;     // the first that shows it
  size_t index = 0;    // of that run among all
  double before = 0;
  double after = 0;
  bool worse = false;
  double p = 1;
};

struct Trend {
  std::string plan;
  std::vector<HistoryRun> runs;
  std::vector<TrendChange> changes;  // by run, then as in TrendChange
  std::string conclusion;
  size_t valid = 0;
};

struct TrendOptions {
  double least_relative = 0.05;  // smaller changes are not told
  double least_error_rate = 0.001;
  facts::ChangePointOptions points;
};

// `runs` in the order of their start.
Trend trend_of(const std::string& plan, std::vector<HistoryRun> runs,
               const TrendOptions& options = {});

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_TREND_H_
