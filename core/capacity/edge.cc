#include "core/capacity/edge.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

namespace plumb::capacity {
namespace {

constexpr double kStep = 0.002;  // of ln(rate)
constexpr double kLapse = 0.03;  // trials that say nothing of the rate, either way
constexpr std::array<double, 7> kWidths = {0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2};

double chance_of_keeping(double log_distance, double width) {
  const double phi = 0.5 * std::erfc(-log_distance / width / std::sqrt(2.0));
  return kLapse / 2 + (1 - kLapse) * phi;
}

double log_likelihood(const std::vector<Trial>& trials, double log_edge, double width) {
  double sum = 0;
  for (const Trial& trial : trials) {
    const double p = chance_of_keeping(log_edge - std::log(trial.rate), width);
    sum += std::log(trial.kept ? p : 1 - p);
  }
  return sum;
}

// The highest rate kept and the lowest missed, the lower of them first.
std::pair<double, double> contested(const std::vector<Trial>& trials) {
  double kept = 0;
  double missed = 0;
  for (const Trial& trial : trials) {
    if (trial.kept) kept = std::max(kept, trial.rate);
    if (!trial.kept && (missed == 0 || trial.rate < missed)) missed = trial.rate;
  }
  if (kept == 0) kept = missed;
  if (missed == 0) missed = kept;
  return std::minmax(kept, missed);
}

// The weight of each grid point, normalised to sum to 1.
std::vector<double> posterior(const std::vector<Trial>& trials, double first, size_t points) {
  std::vector<double> logs(points * kWidths.size());
  for (size_t i = 0; i < points; ++i)
    for (size_t j = 0; j < kWidths.size(); ++j)
      logs[i * kWidths.size() + j] =
          log_likelihood(trials, first + static_cast<double>(i) * kStep, kWidths[j]);
  const double most = *std::max_element(logs.begin(), logs.end());
  std::vector<double> weights(points, 0);
  double total = 0;
  for (size_t i = 0; i < points; ++i) {
    for (size_t j = 0; j < kWidths.size(); ++j)
      weights[i] += std::exp(logs[i * kWidths.size() + j] - most);
    total += weights[i];
  }
  for (double& weight : weights) weight /= total;
  return weights;
}

}  // namespace

Edge estimate_edge(const std::vector<Trial>& trials) {
  assert(!trials.empty());
  const auto [lower, higher] = contested(trials);
  const double first = std::log(lower / 2);
  const double last = std::log(higher * 2);
  const auto points = static_cast<size_t>((last - first) / kStep) + 1;
  const std::vector<double> weights = posterior(trials, first, points);

  const auto quantile = [&](double q) {
    double below = 0;
    for (size_t i = 0; i < points; ++i) {
      below += weights[i];
      if (below >= q) return std::exp(first + static_cast<double>(i) * kStep);
    }
    return std::exp(last);
  };
  Edge edge;
  edge.rate = quantile(0.5);
  edge.low = quantile(0.025);
  edge.high = quantile(0.975);
  edge.spread = std::log(quantile(0.84) / quantile(0.16)) / 2;
  return edge;
}

}  // namespace plumb::capacity
