// The universal scalability law: throughput as a function of how many requests are in flight,
//   X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))
// with lambda what one request at a time achieves, sigma the share that has to queue (contention)
// and kappa the cost of keeping each other informed (coherency). N. Gunther, Guerrilla Capacity
// Planning, 2007.
#ifndef PLUMB_CORE_DIAGNOSE_USL_H_
#define PLUMB_CORE_DIAGNOSE_USL_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <vector>

#include "core/diagnose/interval.h"

namespace plumb::diagnose {

// One stretch of load.
struct LoadPoint {
  double in_flight = 0;  // requests, mean
  double rate = 0;       // requests/s that ended
};

// Figures with their 95% interval.
struct Estimate {
  double value = 0;
  Interval interval;
};

struct UslFit {
  Estimate lambda;  // requests/s
  Estimate sigma;
  Estimate kappa;
  // The most that can be had, and at how many in flight. With kappa at 0 throughput only levels
  // off: then `peak_rate` is that level, and `peak_in_flight` empty.
  Estimate peak_rate;
  std::optional<Estimate> peak_in_flight;
  double knee_in_flight = 0;  // where the line of lambda meets the level of the peak
  double error = 0;           // root mean square of the relative errors
  std::vector<LoadPoint> points;

  double rate_at(double in_flight) const;
};

// Least squares of relative errors with sigma and kappa not below zero; intervals by resampling the
// points (seeded, so that the same points give the same figures). Refused, with the reason, where
// the points cannot carry it: fewer than eight, less than a factor of four between the least and
// the most in flight, or no sign of a limit (throughput still grew in proportion).
Result<UslFit> fit_usl(std::vector<LoadPoint> points, uint64_t seed = 1);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_USL_H_
