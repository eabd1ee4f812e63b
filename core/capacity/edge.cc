#include "core/capacity/edge.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace plumb::capacity {
namespace {

constexpr double kStep = 0.0025;           // of ln(rate)
constexpr double kKeptByChance = 0.01;     // above the edge
constexpr double kMissedByChance = 0.015;  // below it
constexpr std::array<double, 3> kHiccupByChance = {0.03, 0.1, 0.3};
constexpr std::array<double, 7> kWidths = {0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2};

// `phi`: the chance that it is kept, but for disturbances.
double likelihood(TrialEnd end, double phi, double hiccup_by_chance) {
  const double above = (1 - kKeptByChance) * (1 - phi);
  switch (end) {
    case TrialEnd::kKept:
      return kKeptByChance * (1 - phi) + (1 - hiccup_by_chance - kMissedByChance) * phi;
    case TrialEnd::kHiccup:
      return hiccup_by_chance * phi + above;
    case TrialEnd::kMissed:
      return kMissedByChance * phi + above;
  }
  return 0;
}

// The log-likelihood of one edge and width, for each of kHiccupByChance.
std::array<double, kHiccupByChance.size()> log_likelihoods(const std::vector<Trial>& trials,
                                                           double log_edge, double width) {
  std::array<double, kHiccupByChance.size()> products;
  std::array<double, kHiccupByChance.size()> sums{};
  products.fill(1);
  for (const Trial& trial : trials) {
    const double phi = 0.5 * std::erfc((std::log(trial.rate) - log_edge) / width / std::sqrt(2.0));
    for (size_t k = 0; k < products.size(); ++k)
      products[k] *= likelihood(trial.end, phi, kHiccupByChance[k]);
  }
  // No product underflows: each factor is at least a hundredth, and there are some dozens.
  for (size_t k = 0; k < products.size(); ++k) sums[k] = std::log(products[k]);
  return sums;
}

// The highest rate kept and the lowest missed, the lower of them first.
std::pair<double, double> contested(const std::vector<Trial>& trials) {
  double kept = 0;
  double missed = 0;
  for (const Trial& trial : trials) {
    const bool was_kept = trial.end == TrialEnd::kKept;
    if (was_kept) kept = std::max(kept, trial.rate);
    if (!was_kept && (missed == 0 || trial.rate < missed)) missed = trial.rate;
  }
  if (kept == 0) kept = missed;
  if (missed == 0) missed = kept;
  return std::minmax(kept, missed);
}

// The weight of each grid point, normalised to sum to 1.
std::vector<double> posterior(const std::vector<Trial>& trials, double first, size_t points) {
  constexpr size_t kCells = kWidths.size() * kHiccupByChance.size();
  std::vector<std::array<double, kCells>> logs(points);
  double most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < points; ++i)
    for (size_t j = 0; j < kWidths.size(); ++j) {
      const auto found =
          log_likelihoods(trials, first + static_cast<double>(i) * kStep, kWidths[j]);
      for (size_t k = 0; k < found.size(); ++k) {
        logs[i][j * found.size() + k] = found[k];
        most = std::max(most, found[k]);
      }
    }
  std::vector<double> weights(points, 0);
  double total = 0;
  for (size_t i = 0; i < points; ++i) {
    for (const double log : logs[i]) weights[i] += std::exp(log - most);
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
