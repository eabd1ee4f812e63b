#include "core/imports/load_shape.h"

#include <algorithm>
#include <cmath>

#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

constexpr double kReached = 0.9;
constexpr double kLeft = 0.5;
// A beginning shorter than this is no ramp: the first second of a run is never whole.
constexpr int64_t kShortestRampNs = 2 * kSecondNs;

struct Level {
  int64_t second;
  double value;
};

// Every second from the first to the last; those without a request have none.
std::vector<Level> rate_levels(const std::map<int64_t, double>& ended) {
  constexpr int64_t kReach = 2;
  // A pause of hours must not become as many seconds.
  constexpr int64_t kMostSeconds = 1'000'000;
  std::vector<Level> out;
  if (ended.empty()) return out;
  const int64_t first = ended.begin()->first;
  const int64_t last = std::min(ended.rbegin()->first, first + kMostSeconds);
  std::vector<double> counts(static_cast<size_t>(last - first + 1), 0.0);
  for (const auto& [second, count] : ended)
    if (second <= last) counts[static_cast<size_t>(second - first)] = count;
  for (int64_t i = 0; i <= last - first; ++i) {
    const int64_t from = std::max<int64_t>(0, i - kReach);
    const int64_t to = std::min<int64_t>(last - first, i + kReach);
    std::vector<double> around(counts.begin() + from, counts.begin() + to + 1);
    const auto middle = around.begin() + static_cast<ptrdiff_t>(around.size() / 2);
    std::nth_element(around.begin(), middle, around.end());
    out.push_back({first + i, *middle});
  }
  return out;
}

double upper_quartile(const std::vector<Level>& levels) {
  std::vector<double> values;
  for (const Level& level : levels) values.push_back(level.value);
  const auto at = values.begin() + static_cast<ptrdiff_t>(values.size() * 3 / 4);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

struct Span {
  int64_t start_ns;
  int64_t end_ns;
};

Span steady_span(const LoadShape& shape) {
  std::vector<Level> levels;
  for (const auto& [second, users] : shape.users) levels.push_back({second, users});
  if (levels.size() < 2) levels = rate_levels(shape.ended);
  Span out{shape.start_ns, shape.end_ns};
  if (levels.empty()) return out;
  const double height = upper_quartile(levels);
  const auto reached = std::find_if(levels.begin(), levels.end(), [&](const Level& level) {
    return level.value >= kReached * height;
  });
  const auto left = std::find_if(levels.rbegin(), levels.rend(),
                                 [&](const Level& level) { return level.value >= kLeft * height; });
  if (reached == levels.end() || left == levels.rend()) return out;
  // Whole seconds, as requests are kept: one belongs to a stage or it does not.
  const int64_t start = reached->second * kSecondNs;
  const int64_t end = (left->second + 1) * kSecondNs;
  if (start - shape.start_ns >= kShortestRampNs) out.start_ns = start;
  if (shape.end_ns - end >= kShortestRampNs) out.end_ns = end;
  return out.end_ns > out.start_ns ? out : Span{shape.start_ns, shape.end_ns};
}

Span given_span(const LoadShape& shape, const std::pair<double, double>& seconds) {
  const auto at = [&](double s) {
    const double ns = static_cast<double>(shape.start_ns) + s * 1e9;
    const double clamped =
        std::clamp(ns, static_cast<double>(shape.start_ns), static_cast<double>(shape.end_ns));
    return static_cast<int64_t>(std::floor(clamped / 1e9)) * kSecondNs;
  };
  return {std::max(at(seconds.first), shape.start_ns),
          seconds.second * 1e9 >= static_cast<double>(shape.end_ns - shape.start_ns)
              ? shape.end_ns
              : at(seconds.second)};
}

}  // namespace

std::vector<StageSpan> find_stages(const LoadShape& shape,
                                   const std::optional<std::pair<double, double>>& steady) {
  Span span = steady ? given_span(shape, *steady) : steady_span(shape);
  if (span.end_ns <= span.start_ns) span = {shape.start_ns, shape.end_ns};
  std::vector<StageSpan> out;
  if (span.start_ns > shape.start_ns)
    out.push_back({PLUMB_STAGE_RAMP, "ramp-up", shape.start_ns, span.start_ns});
  out.push_back({PLUMB_STAGE_STEADY, "steady", span.start_ns, span.end_ns});
  if (span.end_ns < shape.end_ns)
    out.push_back({PLUMB_STAGE_COOLDOWN, "ramp-down", span.end_ns, shape.end_ns});
  return out;
}

}  // namespace plumb::imports
