#include "core/compare/significance.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace plumb::compare {
namespace {

constexpr double kConfidence = 0.95;
// Above it the t distribution is the normal one, and the variance counts as given.
constexpr double kMostFreedom = 1e6;

// One part of a variance, for Satterthwaite's sum.
struct Part {
  double variance = 0;
  double freedom = 1;
};

double freedom_of(const std::vector<Part>& parts, double total) {
  double sum = 0;
  for (const Part& part : parts) sum += part.variance * part.variance / part.freedom;
  return sum > 0 ? std::clamp(total * total / sum, 1.0, kMostFreedom) : kMostFreedom;
}

}  // namespace

KnownVariance between_runs(const std::vector<Estimate>& runs, double floor) {
  const double given = floor * floor;
  const auto k = static_cast<double>(runs.size());
  if (runs.size() < 2) return {given, std::numeric_limits<double>::infinity()};
  double mean = 0;
  double within = 0;
  for (const Estimate& run : runs) {
    mean += run.value / k;
    within += run.variance / k;
  }
  double squares = 0;
  for (const Estimate& run : runs) squares += (run.value - mean) * (run.value - mean);
  const double beyond = std::max(0.0, squares / (k - 1) - within);
  const double weighed = (kFloorFreedom * given + (k - 1) * beyond) / (kFloorFreedom + k - 1);
  if (weighed <= given) return {given, std::numeric_limits<double>::infinity()};
  return {weighed, kFloorFreedom + k - 1};
}

double beyond(double difference, double elsewhere) {
  return difference - std::clamp(difference, std::min(0.0, elsewhere), std::max(0.0, elsewhere));
}

Contrast contrast(const std::vector<Estimate>& base, const Estimate& run, double floor,
                  double elsewhere) {
  const auto k = static_cast<double>(base.size());
  double mean = 0;
  std::vector<Part> parts = {{run.variance, std::max(run.freedom, 1.0)}};
  for (const Estimate& estimate : base) {
    mean += estimate.value / k;
    parts.push_back({estimate.variance / (k * k), std::max(estimate.freedom, 1.0)});
  }
  const KnownVariance between = between_runs(base, floor);
  parts.push_back({between.variance * (1 + 1 / k), between.freedom});
  double total = 0;
  for (const Part& part : parts) total += part.variance;
  Contrast out;
  out.difference = run.value - mean;
  out.low = out.high = out.difference;
  const double left = beyond(out.difference, elsewhere);
  if (!(total > 0)) {
    out.p = left == 0 ? 1 : 0;
    return out;
  }
  const double error = std::sqrt(total);
  const boost::math::students_t t(freedom_of(parts, total));
  const double reach = error * boost::math::quantile(t, (1 + kConfidence) / 2);
  out.low = out.difference - reach;
  out.high = out.difference + reach;
  out.p = 2 * boost::math::cdf(boost::math::complement(t, std::fabs(left) / error));
  return out;
}

std::vector<double> adjusted(const std::vector<double>& p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> out(p_values.size(), 1);
  const auto m = static_cast<double>(p_values.size());
  double least = 1;
  for (size_t i = order.size(); i-- > 0;) {
    least = std::min(least, p_values[order[i]] * m / static_cast<double>(i + 1));
    out[order[i]] = least;
  }
  return out;
}

}  // namespace plumb::compare
