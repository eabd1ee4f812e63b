// Test support: runs as http_load would have told them of a service that is never quite the same
// from one second to the next, nor from one run to the next.
#ifndef PLUMB_CORE_COMPARE_SIMULATED_RUN_FOR_TESTS_H_
#define PLUMB_CORE_COMPARE_SIMULATED_RUN_FOR_TESTS_H_

#include <cstdint>
#include <string>

#include "core/store/run_file.h"

namespace plumb::testing {

// Arrivals are Poisson. A request takes a log-normal time around `typical_s`; a share of them goes
// a slow way that takes four times as long. The whole service drifts, second by second, with a
// memory of a few seconds, and now and then something in the background slows it down for a while.
struct SimulatedService {
  int seconds = 60;
  double rate = 200;
  double typical_s = 0.01;
  double spread = 0.3;         // of a request's logarithm
  double slow_share = 0.03;    // so that p99 lies within the slow way and p95 before it
  double drift = 0.05;         // standard deviation of the drift
  double memory = 0.7;         // correlation of one second's drift with the next one's
  double between_runs = 0.01;  // standard deviation from run to run
  double slower = 1;           // all requests
  double slow_slower = 1;      // those that go the slow way
  double failed_share = 0;
  double database_s = 0;  // of each request, told as a wait for commits
  double calls = 0;       // of one query by each request
  std::string endpoint = "orders";
};

// The same service and seed give the same run.
store::RunData simulated_run(const SimulatedService& service, uint64_t seed);

}  // namespace plumb::testing

#endif  // PLUMB_CORE_COMPARE_SIMULATED_RUN_FOR_TESTS_H_
