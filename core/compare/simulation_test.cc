// How often a comparison is wrong, over many simulated runs of services that are never quite the
// same twice. docs/compare.md quotes these figures.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "core/compare/comparison.h"
#include "core/compare/simulated_run_for_tests.h"

namespace plumb::compare {
namespace {

using plumb::testing::simulated_run;
using plumb::testing::SimulatedService;

struct Rates {
  int flagged = 0;    // pairs in which anything at all was told to have changed
  int p99_worse = 0;  // pairs whose p99 was told to have regressed
};

bool any_changed(const Comparison& comparison) {
  const auto changed = [](const Change& change) { return change.changed(); };
  return std::any_of(comparison.client.begin(), comparison.client.end(), changed) ||
         std::any_of(comparison.ledger.begin(), comparison.ledger.end(), changed) ||
         std::any_of(comparison.queries.begin(), comparison.queries.end(), changed);
}

Rates rates_of(const char* what, const SimulatedService& base, const SimulatedService& run,
               uint64_t base_runs, uint64_t pairs) {
  Rates rates;
  for (uint64_t pair = 0; pair < pairs; ++pair) {
    std::vector<RunMeasures> bases;
    for (uint64_t i = 0; i < base_runs; ++i)
      bases.push_back(*measure(simulated_run(base, 1000 + 10 * pair + i)));
    const Comparison comparison =
        *compare(bases, *measure(simulated_run(run, 1009 + 10 * pair)), {});
    rates.flagged += any_changed(comparison) ? 1 : 0;
    for (const Change& change : comparison.client)
      if (change.metric == "p99" && change.verdict == ChangeVerdict::kRegressed) ++rates.p99_worse;
  }
  std::printf("%s, %d s, base runs %d: %d of %d pairs flagged, p99 regressed in %d\n", what,
              run.seconds, static_cast<int>(base_runs), rates.flagged, static_cast<int>(pairs),
              rates.p99_worse);
  return rates;
}

SimulatedService service_of(int seconds) {
  SimulatedService service;
  service.seconds = seconds;
  return service;
}

TEST(Simulation, OfAHundredPairsOfTheSameServiceAtMostFiveAreFlagged) {
  const SimulatedService service = service_of(60);
  EXPECT_LE(rates_of("the same", service, service, 1, 100).flagged, 5);
}

TEST(Simulation, RunsThatDifferThreeTimesAsMuchAsAssumedAreKnownByTheirBaseRuns) {
  SimulatedService service = service_of(60);
  service.between_runs = 0.03;
  EXPECT_LE(rates_of("the same, runs differ by 3%", service, service, 5, 100).flagged, 5);
}

TEST(Simulation, AP99ThatIsATenthHigherIsCaughtInNineOfTenPairsOfFiveMinutes) {
  SimulatedService slower = service_of(300);
  slower.slower = 1.1;
  EXPECT_GE(rates_of("10% slower", service_of(300), slower, 1, 100).p99_worse, 90);
}

TEST(Simulation, SoItIsWhereTheSlowRequestsAloneAreSlowerWithThreeBaseRuns) {
  SimulatedService slower = service_of(300);
  slower.slow_slower = 1.1;
  EXPECT_GE(rates_of("slow requests 10% slower", service_of(300), slower, 3, 50).p99_worse, 45);
}

}  // namespace
}  // namespace plumb::compare
