#ifndef PLUMB_CORE_DIAGNOSE_INTERVAL_H_
#define PLUMB_CORE_DIAGNOSE_INTERVAL_H_

namespace plumb::diagnose {

// Between what a figure lies with 95% confidence.
struct Interval {
  double low = 0;
  double high = 0;
};

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_INTERVAL_H_
