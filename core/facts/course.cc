#include "core/facts/course.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/facts/change_points.h"
#include "core/facts/trend.h"

namespace plumb::facts {
namespace {

constexpr size_t kFewestParts = 12;
constexpr size_t kLeastStretch = 5;
constexpr ChangePointOptions kPoints = {.least_stretch = kLeastStretch, .permutations = 199};
constexpr double kScatters = 4;
constexpr double kSharp = 0.5;        // of a step, between the two parts on each side of it
constexpr double kClearTau = 0.7;     // of what rises or falls bit by bit
constexpr double kStillMoving = 0.2;  // of a slope, in its later half
// From the mean distance to the standard deviation, of normal noise and of its differences.
constexpr double kOfDistances = 1.2533;
constexpr double kOfDifferences = 0.8862;

double median(const std::vector<double>& values, size_t begin, size_t end) {
  std::vector<double> part(values.begin() + static_cast<ptrdiff_t>(begin),
                           values.begin() + static_cast<ptrdiff_t>(end));
  const auto middle = part.begin() + static_cast<ptrdiff_t>(part.size() / 2);
  std::nth_element(part.begin(), middle, part.end());
  return *middle;
}

double mean(const std::vector<double>& values, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

double least_between(double a, double b, const LeastEffect& least) {
  return std::max(least.share * std::min(std::fabs(a), std::fabs(b)), least.amount);
}

// A series cut into stretches, from which cuts that mean nothing are taken out again.
class Stretches {
 public:
  Stretches(const std::vector<double>& parts, const LeastEffect& least)
      : parts_(parts), least_(least), ends_{0, parts.size()} {}

  void cut(size_t at) { ends_.insert(std::lower_bound(ends_.begin(), ends_.end(), at), at); }

  void keep_clear_cuts() {
    while (ends_.size() > 2) {
      size_t weakest = 1;
      for (size_t i = 2; i + 1 < ends_.size(); ++i)
        if (strength(i) < strength(weakest)) weakest = i;
      if (strength(weakest) >= 1) return;
      ends_.erase(ends_.begin() + static_cast<ptrdiff_t>(weakest));
    }
  }

  std::vector<Step> steps() const {
    std::vector<Step> out;
    for (size_t i = 1; i + 1 < ends_.size(); ++i) out.push_back({ends_[i], level(i - 1), level(i)});
    return out;
  }

 private:
  double level(size_t stretch) const { return median(parts_, ends_[stretch], ends_[stretch + 1]); }

  double distances(size_t stretch) const {
    double sum = 0;
    for (size_t i = ends_[stretch]; i < ends_[stretch + 1]; ++i)
      sum += std::fabs(parts_[i] - level(stretch));
    return sum;
  }

  // Of the parts on both sides of a cut around their levels.
  double scatter(size_t cut) const {
    return kOfDistances * (distances(cut - 1) + distances(cut)) /
           static_cast<double>(ends_[cut + 1] - ends_[cut - 1]);
  }

  // Below 1 it is none: too small, lost in the scatter, or not sharp.
  double strength(size_t cut) const {
    const double before = level(cut - 1);
    const double after = level(cut);
    const double size = std::fabs(after - before);
    if (size == 0) return 0;
    const double wanted = std::max(least_between(before, after, least_), kScatters * scatter(cut));
    const size_t at = ends_[cut];
    const double near = (mean(parts_, at, at + 2) - mean(parts_, at - 2, at)) / (after - before);
    return std::min(wanted > 0 ? size / wanted : 1, near / kSharp);
  }

  const std::vector<double>& parts_;
  const LeastEffect& least_;
  std::vector<size_t> ends_;
};

// Whether any two stretches could lie far enough apart, which is soon told of a healthy run.
bool may_have_steps(const std::vector<double>& parts, const LeastEffect& least) {
  double low = mean(parts, 0, kLeastStretch);
  double high = low;
  for (size_t i = 1; i + kLeastStretch <= parts.size(); ++i) {
    const double here = mean(parts, i, i + kLeastStretch);
    low = std::min(low, here);
    high = std::max(high, here);
  }
  return high > low && high - low >= least_between(low, high, least);
}

// How much neighbouring parts differ, which a slope hardly adds to.
double unrest(const std::vector<double>& parts) {
  double sum = 0;
  for (size_t i = 1; i < parts.size(); ++i) sum += std::fabs(parts[i] - parts[i - 1]);
  return kOfDifferences * sum / static_cast<double>(parts.size() - 1);
}

bool slopes(const std::vector<double>& parts, double first, double last, const LeastEffect& least) {
  const double size = std::fabs(last - first);
  if (size == 0 || size < std::max(least_between(first, last, least), kScatters * unrest(parts)))
    return false;
  std::vector<TrendPoint> points;
  for (const double value : parts) points.push_back({static_cast<double>(points.size()), value});
  const double tau = kendall_tau(points).value_or(0);
  if (std::fabs(tau) < kClearTau || (tau > 0) != (last > first)) return false;
  const size_t before_middle = (parts.size() - kLeastStretch) / 2;
  const double middle = median(parts, before_middle, before_middle + kLeastStretch);
  return !least.may_settle || (last - middle) / (last - first) >= kStillMoving;
}

}  // namespace

std::optional<Course> course_of(const std::vector<double>& parts, const LeastEffect& least) {
  if (parts.size() < kFewestParts) return std::nullopt;
  const size_t size = parts.size();
  if (may_have_steps(parts, least)) {
    Stretches stretches(parts, least);
    for (const ChangePoint& point : change_points(parts, kPoints)) stretches.cut(point.index);
    stretches.keep_clear_cuts();
    if (std::vector<Step> steps = stretches.steps(); !steps.empty())
      return Course{steps.front().before, steps.back().after, std::move(steps)};
    const double first = median(parts, 0, kLeastStretch);
    const double last = median(parts, size - kLeastStretch, size);
    if (slopes(parts, first, last, least)) return Course{first, last, {}};
  }
  const double level = median(parts, 0, size);
  return Course{level, level, {}};
}

}  // namespace plumb::facts
