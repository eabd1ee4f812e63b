#include "core/facts/trend.h"

#include <algorithm>
#include <cmath>

namespace plumb::facts {
namespace {

// Of six points in random order one row in 360 only rises or only falls.
constexpr size_t kFewestPoints = 6;

}  // namespace

std::optional<double> kendall_tau(const std::vector<TrendPoint>& points) {
  if (points.size() < kFewestPoints) return std::nullopt;
  double balance = 0;  // pairs that rise less those that fall
  double untied = 0;   // pairs of different values
  double pairs = 0;
  for (size_t i = 0; i < points.size(); ++i)
    for (size_t j = i + 1; j < points.size(); ++j) {
      ++pairs;
      if (points[i].value == points[j].value) continue;
      ++untied;
      balance += points[j].value > points[i].value ? 1 : -1;
    }
  if (untied == 0) return std::nullopt;
  return balance / std::sqrt(untied * pairs);
}

std::vector<TrendPoint> thinned(const std::vector<int64_t>& times_ns,
                                const std::vector<double>& values, const Window& window,
                                size_t most) {
  const double part = window.seconds() / static_cast<double>(most);
  std::vector<TrendPoint> out;
  size_t last_part = most;
  double count = 0;
  const auto first = std::lower_bound(times_ns.begin(), times_ns.end(), window.start_ns);
  for (auto i = static_cast<size_t>(first - times_ns.begin()); i < times_ns.size(); ++i) {
    if (times_ns[i] > window.end_ns) break;
    const double seconds = static_cast<double>(times_ns[i] - window.start_ns) / 1e9;
    const size_t here = std::min(static_cast<size_t>(seconds / part), most - 1);
    if (here != last_part || out.empty()) {
      out.push_back({seconds, values[i]});
      last_part = here;
      count = 1;
    } else {
      ++count;
      out.back().value += (values[i] - out.back().value) / count;
    }
  }
  return out;
}

}  // namespace plumb::facts
