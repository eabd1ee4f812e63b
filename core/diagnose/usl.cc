#include "core/diagnose/usl.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/number_text.h"

namespace plumb::diagnose {
namespace {

constexpr size_t kFewestPoints = 8;
constexpr double kLeastSpread = 4;    // most in flight over least
constexpr double kStillLinear = 0.9;  // of lambda N at the highest load: no limit in sight
constexpr double kWorstError = 0.25;  // beyond it the law does not describe the points
constexpr size_t kResamples = 400;
constexpr double kLeastKappa = 1e-9;

struct Law {
  double lambda = 0;
  double sigma = 0;
  double kappa = 0;

  double rate_at(double n) const {
    return lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
  }
  bool has_peak() const { return kappa > kLeastKappa && sigma < 1; }
  double peak_at() const { return std::sqrt((1 - sigma) / kappa); }
  // Without a peak, the level that it comes ever nearer to.
  double peak() const {
    if (has_peak()) return rate_at(std::max(1.0, peak_at()));
    return sigma > 0 ? lambda / sigma : std::numeric_limits<double>::infinity();
  }
};

// Solves the normal equations of up to three unknowns; empty where they are singular.
std::optional<std::array<double, 3>> solve(std::array<std::array<double, 4>, 3> m, size_t size) {
  for (size_t column = 0; column < size; ++column) {
    size_t pivot = column;
    for (size_t row = column + 1; row < size; ++row)
      if (std::fabs(m[row][column]) > std::fabs(m[pivot][column])) pivot = row;
    if (std::fabs(m[pivot][column]) < 1e-300) return std::nullopt;
    std::swap(m[pivot], m[column]);
    for (size_t row = 0; row < size; ++row) {
      if (row == column) continue;
      const double factor = m[row][column] / m[column][column];
      for (size_t k = column; k < 4; ++k) m[row][k] -= factor * m[column][k];
    }
  }
  std::array<double, 3> out{};
  for (size_t i = 0; i < size; ++i) out[i] = m[i][3] / m[i][i];
  return out;
}

// N / X = (1 + sigma (N - 1) + kappa N (N - 1)) / lambda is linear in 1/lambda, sigma/lambda and
// kappa/lambda; weighting each point by X / N makes its errors those of X, relative. `terms` says
// which of the three take part.
std::optional<Law> fit_terms(const std::vector<LoadPoint>& points,
                             const std::vector<size_t>& terms) {
  std::array<std::array<double, 4>, 3> normal{};
  for (const LoadPoint& point : points) {
    const double n = point.in_flight;
    const double weight = point.rate / n;
    const std::array<double, 3> all = {weight, weight * (n - 1), weight * n * (n - 1)};
    for (size_t i = 0; i < terms.size(); ++i) {
      for (size_t j = 0; j < terms.size(); ++j) normal[i][j] += all[terms[i]] * all[terms[j]];
      normal[i][3] += all[terms[i]];  // the weighted N / X is 1
    }
  }
  const auto solution = solve(normal, terms.size());
  if (!solution) return std::nullopt;
  std::array<double, 3> coefficients{};
  for (size_t i = 0; i < terms.size(); ++i) coefficients[terms[i]] = (*solution)[i];
  if (coefficients[0] <= 0 || coefficients[1] < 0 || coefficients[2] < 0) return std::nullopt;
  return Law{1 / coefficients[0], coefficients[1] / coefficients[0],
             coefficients[2] / coefficients[0]};
}

double error_of(const Law& law, const std::vector<LoadPoint>& points) {
  double squares = 0;
  for (const LoadPoint& point : points) {
    const double off = law.rate_at(point.in_flight) / point.rate - 1;
    squares += off * off;
  }
  return std::sqrt(squares / static_cast<double>(points.size()));
}

std::optional<Law> fit(const std::vector<LoadPoint>& points) {
  std::optional<Law> best;
  double least = std::numeric_limits<double>::infinity();
  for (const std::vector<size_t>& terms :
       std::vector<std::vector<size_t>>{{0, 1, 2}, {0, 1}, {0, 2}, {0}}) {
    const auto law = fit_terms(points, terms);
    if (!law || error_of(*law, points) >= least) continue;
    best = law;
    least = error_of(*law, points);
  }
  return best;
}

Interval middle_95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
  };
  return {at(0.025), at(0.975)};
}

Status why_not(const std::vector<LoadPoint>& points) {
  if (points.size() < kFewestPoints)
    return Status::unsupported("only " + grouped(static_cast<double>(points.size())) +
                               " stretches of load were seen, and a model needs " +
                               grouped(static_cast<double>(kFewestPoints)) +
                               ": add a ramp to load.stages");
  const auto [least, most] = std::minmax_element(
      points.begin(), points.end(),
      [](const LoadPoint& a, const LoadPoint& b) { return a.in_flight < b.in_flight; });
  if (most->in_flight < kLeastSpread * least->in_flight)
    return Status::unsupported(
        "the load hardly varied (" + grouped(least->in_flight, 1) + " to " +
        grouped(most->in_flight, 1) +
        " requests in flight), so a limit cannot be told from it: add a ramp to load.stages");
  return Status::ok();
}

}  // namespace

double UslFit::rate_at(double in_flight) const {
  return Law{lambda.value, sigma.value, kappa.value}.rate_at(in_flight);
}

Result<UslFit> fit_usl(std::vector<LoadPoint> points, uint64_t seed) {
  std::erase_if(points,
                [](const LoadPoint& point) { return !(point.in_flight > 0) || !(point.rate > 0); });
  PLUMB_RETURN_IF_ERROR(why_not(points));
  const auto law = fit(points);
  if (!law) return Status::unsupported("throughput falls with load from the beginning on");
  const double most =
      std::max_element(points.begin(), points.end(), [](const LoadPoint& a, const LoadPoint& b) {
        return a.in_flight < b.in_flight;
      })->in_flight;
  if (law->rate_at(most) >= kStillLinear * law->lambda * most)
    return Status::unsupported("throughput still grew in proportion at the highest load (" +
                               grouped(most, 1) +
                               " requests in flight), so no limit is in sight: ramp higher");
  const double error = error_of(*law, points);
  if (error > kWorstError)
    return Status::unsupported("throughput does not follow from the load: the model is " +
                               ratio_text(error) + " off, so something else limits it");
  std::vector<Law> laws;
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < kResamples; ++i) {
    std::vector<LoadPoint> drawn;
    for (size_t k = 0; k < points.size(); ++k) drawn.push_back(points[random() % points.size()]);
    if (const auto other = fit(drawn)) laws.push_back(*other);
  }
  const auto estimate = [&](auto&& figure) {
    std::vector<double> values;
    for (const Law& other : laws)
      if (const double value = figure(other); std::isfinite(value)) values.push_back(value);
    const double value = figure(*law);
    return Estimate{value, values.empty() ? Interval{value, value} : middle_95(values)};
  };
  UslFit out;
  out.lambda = estimate([](const Law& l) { return l.lambda; });
  out.sigma = estimate([](const Law& l) { return l.sigma; });
  out.kappa = estimate([](const Law& l) { return l.kappa; });
  out.peak_rate = estimate([](const Law& l) { return l.peak(); });
  if (law->has_peak())
    out.peak_in_flight = estimate([](const Law& l) {
      return l.has_peak() ? l.peak_at() : std::numeric_limits<double>::infinity();
    });
  out.knee_in_flight = out.peak_rate.value / out.lambda.value;
  out.error = error;
  out.points = std::move(points);
  return out;
}

}  // namespace plumb::diagnose
