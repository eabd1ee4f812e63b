// What one measure did over the equal parts of a stretch under even load: it stayed, it stepped, or
// it rose or fell bit by bit.
#ifndef PLUMB_CORE_FACTS_COURSE_H_
#define PLUMB_CORE_FACTS_COURSE_H_

#include <cstddef>
#include <optional>
#include <vector>

namespace plumb::facts {

// What is too little to be told.
struct LeastEffect {
  double share = 0;         // of the lower of two levels
  double amount = 0;        // in the measure's unit; both must be passed
  bool may_settle = false;  // a slope that is over by the middle is no matter, as caches fill
};

struct Step {
  size_t part = 0;  // the first of what came after
  double before = 0;
  double after = 0;
};

struct Course {
  double first = 0;  // levels at the beginning and at the end, the same where nothing is clear
  double last = 0;
  std::vector<Step> steps;  // in order; none where it went bit by bit
};

// The values of consecutive parts, without those of which nothing is known. A step is a change
// point (see change_points.h) between stretches of five parts at least whose levels, medians, lie
// apart by the least effect and by four times the scatter around them: the parts of one run hang
// together, and their permutations alone would find steps in a healthy one. Most of a step happens
// from one part to the next, so that a slope is no stair. Empty below twelve parts.
std::optional<Course> course_of(const std::vector<double>& parts, const LeastEffect& least);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_COURSE_H_
