// A weighted choice that follows from random bits alone: the same bits give the same choice.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_WEIGHTED_DRAW_H_
#define PLUMB_PLUGINS_HTTP_LOAD_WEIGHTED_DRAW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plumb::http_load {

class WeightedDraw {
 public:
  // `weight` is finite and above zero. What is added first has index 0.
  void add(double weight) { sums_.push_back((sums_.empty() ? 0 : sums_.back()) + weight); }
  // An index of what was added; something was.
  size_t pick(uint64_t draw) const {
    const double at = static_cast<double>(draw >> 11) * 0x1p-53 * sums_.back();
    const auto chosen = std::upper_bound(sums_.begin(), sums_.end(), at);
    return std::min(static_cast<size_t>(chosen - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_WEIGHTED_DRAW_H_
