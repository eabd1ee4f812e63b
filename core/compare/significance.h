// Whether two estimates differ by more than chance, and which of many such answers to believe.
#ifndef PLUMB_CORE_COMPARE_SIGNIFICANCE_H_
#define PLUMB_CORE_COMPARE_SIGNIFICANCE_H_

#include <vector>

namespace plumb::compare {

// A figure of one run, on the scale on which it is compared.
struct Estimate {
  double value = 0;
  double variance = 0;  // of the value, from within the run
  double freedom = 1;   // degrees of freedom that the variance has
};

// A variance and how well it is known: an infinite freedom is as if it were given.
struct KnownVariance {
  double variance = 0;
  double freedom = 0;
};

// How much runs of the same thing differ beyond what each shows within itself. Of one run nothing
// is known but `floor` (a standard deviation), which counts as given. Of several, what they show is
// weighed with the floor, which stands for kFloorFreedom runs; the floor is the least, and where
// they bear it out it stays given.
inline constexpr double kFloorFreedom = 2;
KnownVariance between_runs(const std::vector<Estimate>& runs, double floor);

struct Contrast {
  double difference = 0;
  double low = 0;  // 95% interval
  double high = 0;
  double p = 1;  // of a difference as large by chance, to either side
};

// `run` against the mean of `base`, which is not empty: Welch's t with the variance between runs
// counted on both sides. Of the difference, up to `elsewhere` is known to have another cause, and p
// is of what is left; the interval is of all of it.
Contrast contrast(const std::vector<Estimate>& base, const Estimate& run, double floor,
                  double elsewhere = 0);
// What is left of it.
double beyond(double difference, double elsewhere);

// Benjamini and Hochberg (1995): for each p the least share of false discoveries at which it would
// be believed. Believing all below q keeps the expected share of false ones below q, also for
// figures that rise and fall together.
std::vector<double> adjusted(const std::vector<double>& p_values);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_SIGNIFICANCE_H_
