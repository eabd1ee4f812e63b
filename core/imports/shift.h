// Which metrics were different in an abnormal window than in a normal one.
#ifndef PLUMB_CORE_IMPORTS_SHIFT_H_
#define PLUMB_CORE_IMPORTS_SHIFT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/imports/metric_table.h"

namespace plumb::imports {

// Both ends belong to it, except an end at which another begins.
struct TimeSpan {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

// "A..B": times as the table has them (epoch or RFC 3339), or seconds or durations (90, 90s, 5m)
// since its first row. The table has a row.
Result<TimeSpan> parse_span(std::string_view text, const MetricTable& table);

struct Shift {
  std::string metric;
  double normal = 0;    // median of the normal window
  double abnormal = 0;  // and of the abnormal one
  // How far the median moved, in spreads of the normal window: 1.4826 times its median absolute
  // deviation, but at least 1% of the normal median and 0.1% of the largest value, so that a metric
  // that stood still has a scale too. At most 1,000 either way.
  double score = 0;
  // That chance alone moves the median as far, were samples as dependent on their neighbours as
  // they look; beyond_chance: it passes Benjamini and Hochberg's procedure at 5%.
  double p = 1;
  bool beyond_chance = false;
  std::optional<int64_t> began_ns;  // of the leading ones: when it moved
  size_t normal_samples = 0;
  size_t abnormal_samples = 0;
};

struct ShiftReport {
  std::vector<Shift> shifts;  // the largest first; those that did not move last
  size_t too_few = 0;         // metrics with fewer than three samples in a window
  size_t beyond_chance = 0;
};

// `began_for` says for how many of the leading metrics the beginning is looked for.
// INVALID_ARGUMENT when a window holds fewer than three rows or the windows overlap.
Result<ShiftReport> rank_shifts(const MetricTable& table, const TimeSpan& normal,
                                const TimeSpan& abnormal, size_t began_for = 50);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_SHIFT_H_
