// Where a series changed for good: of runs, or of the parts of one.
#ifndef PLUMB_CORE_FACTS_CHANGE_POINTS_H_
#define PLUMB_CORE_FACTS_CHANGE_POINTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace plumb::facts {

struct ChangePoint {
  size_t index = 0;   // of the first value that belongs to what came after
  double before = 0;  // means of the stretches to either side
  double after = 0;
  double p = 1;
};

struct ChangePointOptions {
  size_t least_stretch = 3;    // values between two changes
  double significance = 0.01;  // of each change, by permutation
  size_t permutations = 499;
  uint64_t seed = 1;
};

// E-divisive (Matteson and James, 2014): of all places where a stretch may be cut, the one with the
// largest energy distance between what lies before it and behind it (up to any later place, so that
// a change which is taken back is found too). It counts when fewer than `significance` of the
// stretch's permutations have one as large; then both sides are looked at in turn. In order.
std::vector<ChangePoint> change_points(const std::vector<double>& series,
                                       const ChangePointOptions& options = {});

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_CHANGE_POINTS_H_
