// Where passing turns into failing, from trials that may contradict each other.
#ifndef PLUMB_CORE_CAPACITY_EDGE_H_
#define PLUMB_CORE_CAPACITY_EDGE_H_

#include <vector>

namespace plumb::capacity {

enum class TrialEnd {
  kKept,
  kHiccup,  // missed, but as a disturbance of the machine makes it; see note_hiccup()
  kMissed
};

struct Trial {
  double rate = 0;
  TrialEnd end = TrialEnd::kKept;
};

struct Edge {
  double rate = 0;    // the rate that is kept half of the time
  double low = 0;     // of the central 95%
  double high = 0;    //
  double spread = 0;  // half of the central 68%, of ln(rate): what a standard deviation would be
                      // without the far tails
};

// The posterior of a probit model: a trial at rate r is kept with probability Phi(ln(c/r)/w).
// Below the edge c a disturbance still makes some have a hiccup, a share that is not known
// beforehand (3%, 10% or 30%), and one in seventy miss outright; above it one in a hundred is kept
// by chance. So a rate that was kept outweighs a lower one that had a hiccup. The highest rate kept
// and the lowest missed are about the edge, in whichever order: every c from half of the lower to
// twice the higher of the two, and every width w of a set from 0.3% to 20%, counts as equally
// likely beforehand. `rate` is the median over c, with the rest integrated out.
//
// A posterior and no bootstrap: trials that do not contradict each other, which is what a target
// with a sharp edge gives, look the same in every resample, and its interval would be empty.
//
// Pure; needs at least one trial, rates above 0.
Edge estimate_edge(const std::vector<Trial>& trials);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_EDGE_H_
