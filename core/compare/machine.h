// What the machine did to two runs, which is not the service's: a slower processor, a hypervisor
// that kept it.
#ifndef PLUMB_CORE_COMPARE_MACHINE_H_
#define PLUMB_CORE_COMPARE_MACHINE_H_

#include <string>
#include <vector>

#include "core/compare/environment_difference.h"
#include "core/compare/measures.h"

namespace plumb::compare {

// The run's machine against that of the base, of several the mean.
class MachineDifference {
 public:
  MachineDifference(const std::vector<RunMeasures>& base, const RunMeasures& run);

  // How much the same work differed in processor time beyond what it does anyway, as the logarithm
  // of the ratio; 0 where the generator did not do the same work. Times, and rates that follow from
  // them, may differ as much without the service having changed. A generator with fewer requests at
  // hand spends more on each, so of a slower service this is somewhat too much, and far less than
  // the service lost.
  double pace() const { return pace_; }

  // Whether theft can be why a figure of response times rose (or fell). A quantile with as few
  // requests beyond it as theft may have slowed down is theft's; the mean is where the median did
  // not move with it. Theft slows down, so that a run that got slower with less of it, got slower.
  bool theft_may_explain(const std::string& metric, bool rose, bool median_moved) const;

  // "the hypervisor kept 6.3% of the processors in the run and 0.1% in the base"
  std::string theft_text() const;

  // What of it is worth a line among the other differences.
  std::vector<EnvironmentDifference> told() const;

 private:
  Machine base_;
  Machine run_;
  double pace_ = 0;
};

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_MACHINE_H_
