#include "core/facts/load_level.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/facts/trend.h"

namespace plumb::facts {
namespace {

constexpr double kSame = 0.05;

bool is_level(const SeriesInfo& series) {
  return series.name == "load_target_rate" || series.name == "load_users";
}

// What was asked for within the window. Where a stage begins and ends, an interval may have some of
// both loads.
std::vector<double> levels_in(const store::SeriesData& series, const Window& window) {
  const std::vector<TrendPoint> points = thinned(series.times_ns, series.values, window);
  std::vector<double> out;
  for (size_t i = 1; i + 1 < points.size(); ++i) out.push_back(points[i].value);
  if (out.empty() && !points.empty()) out.push_back(points.back().value);
  return out;
}

bool is_even(const store::SeriesData& series, const Window& window) {
  const std::vector<double> levels = levels_in(series, window);
  if (levels.empty()) return true;
  const auto [low, high] = std::minmax_element(levels.begin(), levels.end());
  return *high - *low <= kSame * *high;
}

double mean_level(const store::SeriesData& series, const Window& window) {
  const std::vector<double> levels = levels_in(series, window);
  double sum = 0;
  for (const double level : levels) sum += level;
  return levels.empty() ? 0 : sum / static_cast<double>(levels.size());
}

}  // namespace

bool is_even_load(const store::RunData& run, const Window& window) {
  return std::all_of(run.series.begin(), run.series.end(), [&](const store::SeriesData& s) {
    return !is_level(s.info) || is_even(s, window);
  });
}

bool is_same_load(const store::RunData& run, const Window& one, const Window& other) {
  return std::all_of(run.series.begin(), run.series.end(), [&](const store::SeriesData& s) {
    if (!is_level(s.info)) return true;
    const double a = mean_level(s, one);
    const double b = mean_level(s, other);
    return std::fabs(a - b) <= kSame * std::max(a, b);
  });
}

}  // namespace plumb::facts
