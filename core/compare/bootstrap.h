// How far the figures of one run may lie from what the service would show in the long run, from
// resampling blocks of its time. Requests close together are slow together, so single requests, or
// single seconds, are no independent evidence; blocks longer than that memory nearly are.
#ifndef PLUMB_CORE_COMPARE_BOOTSTRAP_H_
#define PLUMB_CORE_COMPARE_BOOTSTRAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <plumb/histogram.hpp>
#include <vector>

namespace plumb::compare {

inline constexpr std::array<double, 5> kQuantiles = {0.5, 0.9, 0.95, 0.99, 0.999};

// What one stretch of time saw: the response times of what succeeded, and how many failed.
struct Cell {
  Histogram ok;  // in nanoseconds
  uint64_t failed = 0;
};

// Equal stretches of time, one behind the other.
struct Cells {
  double cell_s = 0;
  std::vector<Cell> cells;
  double seconds() const { return cell_s * static_cast<double>(cells.size()); }
};

// The length, in cells, that a block should have: by the rule of Politis and White (2004, with the
// correction of 2009) for the circular bootstrap, of the mean and of the share of slow requests,
// whichever asks for more. At least `least` cells, and at most a sixth of them all, so that some
// are left to draw from; but never less than `least`.
size_t block_cells(const Cells& cells, size_t least);
// The rule alone, for one series of numbers.
double ideal_block(const std::vector<double>& series);

// Variances of the estimates: of the logarithm of times and rates, of the error rate itself.
struct Spread {
  std::array<double, kQuantiles.size()> quantiles{};  // as kQuantiles
  double mean = 0;
  double throughput = 0;  // of what succeeded
  double error_rate = 0;
};

// Circular block bootstrap: blocks of `block` cells from anywhere, the end going on at the
// beginning, drawn until they are as long as the run. The same seed gives the same bits.
// There must be requests that succeeded.
Spread resample(const Cells& cells, size_t block, size_t times, uint64_t seed);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_BOOTSTRAP_H_
