#include "core/facts/change_points.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/facts/random.h"

namespace plumb::facts {
namespace {

struct Cut {
  size_t at = 0;
  double energy = 0;
};

// Sums of |x - y| over rectangles of pairs, by a table of prefix sums.
class Distances {
 public:
  explicit Distances(const std::vector<double>& values)
      : width_(values.size() + 1), sums_(width_ * width_, 0) {
    for (size_t i = 0; i < values.size(); ++i)
      for (size_t j = 0; j < values.size(); ++j)
        sums_[(i + 1) * width_ + j + 1] =
            std::fabs(values[i] - values[j]) + at(i, j + 1) + at(i + 1, j) - at(i, j);
  }
  // Of every pair with one in [a, b) and the other in [c, d).
  double between(size_t a, size_t b, size_t c, size_t d) const {
    return at(b, d) - at(a, d) - at(b, c) + at(a, c);
  }

 private:
  double at(size_t i, size_t j) const { return sums_[i * width_ + j]; }

  size_t width_;
  std::vector<double> sums_;
};

Cut best_cut(const std::vector<double>& values, size_t least) {
  const Distances distances(values);
  Cut best;
  for (size_t cut = least; cut + least <= values.size(); ++cut) {
    for (size_t end = cut + least; end <= values.size(); ++end) {
      const auto n = static_cast<double>(cut);
      const auto m = static_cast<double>(end - cut);
      // Each pair within a side is counted twice, and there are n(n-1)/2 of them.
      const double within_first = n > 1 ? distances.between(0, cut, 0, cut) / (n * (n - 1)) : 0;
      const double within_second =
          m > 1 ? distances.between(cut, end, cut, end) / (m * (m - 1)) : 0;
      const double across = distances.between(0, cut, cut, end) / (n * m);
      const double energy = n * m / (n + m) * (2 * across - within_first - within_second);
      if (energy > best.energy) best = {cut, energy};
    }
  }
  return best;
}

class Divisions {
 public:
  Divisions(const std::vector<double>& series, const ChangePointOptions& options)
      : series_(series), options_(options) {}

  std::vector<ChangePoint> find() {
    divide(0, series_.size());
    std::sort(found_.begin(), found_.end(),
              [](const ChangePoint& a, const ChangePoint& b) { return a.index < b.index; });
    for (size_t i = 0; i < found_.size(); ++i) {
      const size_t begin = i == 0 ? 0 : found_[i - 1].index;
      const size_t end = i + 1 < found_.size() ? found_[i + 1].index : series_.size();
      found_[i].before = mean(begin, found_[i].index);
      found_[i].after = mean(found_[i].index, end);
    }
    return std::move(found_);
  }

 private:
  void divide(size_t begin, size_t end) {
    if (end - begin < 2 * options_.least_stretch) return;
    std::vector<double> values(series_.begin() + static_cast<ptrdiff_t>(begin),
                               series_.begin() + static_cast<ptrdiff_t>(end));
    const Cut cut = best_cut(values, options_.least_stretch);
    if (cut.energy <= 0) return;
    const double p = chance_of(cut.energy, std::move(values), begin);
    if (p > options_.significance) return;
    found_.push_back({begin + cut.at, 0, 0, p});
    divide(begin, begin + cut.at);
    divide(begin + cut.at, end);
  }

  double chance_of(double energy, std::vector<double> values, size_t begin) const {
    Random random(options_.seed + begin);
    const auto share = [&](size_t as_large) {
      return static_cast<double>(as_large + 1) / static_cast<double>(options_.permutations + 1);
    };
    size_t as_large = 0;
    // What is chance already needs no further permutation.
    for (size_t time = 0; time < options_.permutations && share(as_large) <= options_.significance;
         ++time) {
      for (size_t i = values.size(); i-- > 1;) std::swap(values[i], values[random.below(i + 1)]);
      if (best_cut(values, options_.least_stretch).energy >= energy) ++as_large;
    }
    return share(as_large);
  }

  double mean(size_t begin, size_t end) const {
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += series_[i];
    return sum / static_cast<double>(end - begin);
  }

  const std::vector<double>& series_;
  const ChangePointOptions& options_;
  std::vector<ChangePoint> found_;
};

}  // namespace

std::vector<ChangePoint> change_points(const std::vector<double>& series,
                                       const ChangePointOptions& options) {
  return Divisions(series, options).find();
}

}  // namespace plumb::facts
