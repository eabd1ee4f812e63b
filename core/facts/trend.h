// Whether something rises or falls over time.
#ifndef PLUMB_CORE_FACTS_TREND_H_
#define PLUMB_CORE_FACTS_TREND_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/facts/facts.h"

namespace plumb::facts {

struct TrendPoint {
  double seconds = 0;  // since any instant
  double value = 0;
};

// Kendall's tau-b of value over time: 1 where it only rises, -1 where it only falls, 0 where it
// does neither. Empty below six points or where all values are equal. Quadratic in the points.
std::optional<double> kendall_tau(const std::vector<TrendPoint>& points);

// Means of at most `most` equal parts of the window, those without a sample left out. `times_ns`
// ascend; `values` go with them.
std::vector<TrendPoint> thinned(const std::vector<int64_t>& times_ns,
                                const std::vector<double>& values, const Window& window,
                                size_t most = 60);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_TREND_H_
