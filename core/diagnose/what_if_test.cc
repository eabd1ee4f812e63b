#include "core/diagnose/what_if.h"

#include <gtest/gtest.h>

#include "core/diagnose/ledger.h"
#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

// 100 ms for each request, of which 90 ms are the finding's.
Finding without_ninety_ms(RunBuilder& run, const Freed& frees) {
  const facts::FactSet facts = facts::compute(run.data());
  Ledger ledger;
  ledger.total_ms = 100;
  Finding finding;
  finding.cost_ms = 90;
  add_what_if(finding, frees, ledger, facts);
  return finding;
}

RunBuilder& busy(RunBuilder& run, double ratio) {
  return run.requests(0.1, 160)
      .gauge("host_cpus", 2)
      .gauge("host_cpu_busy_ratio", ratio, {}, "ratio")
      .counter("target_cpu_seconds_total", 0.2);
}

TEST(WhatIf, AllThatTheMachineDoesForARequestBoundsTheRate) {
  RunBuilder run;
  busy(run, 0.8);
  EXPECT_NEAR(*without_ninety_ms(run, {"pool"}).throughput_bound, 200, 1);
}

TEST(WhatIf, WhatTheFindingFreesIsTakenOutOfTheProcessorsWork) {
  RunBuilder run;
  busy(run, 0.8);
  EXPECT_NEAR(*without_ninety_ms(run, {"app_cpu"}).throughput_bound, 160 * 2 / 1.4, 1);
}

TEST(WhatIf, WorkThatIsMostlyOfOthersIsNoRequests) {
  RunBuilder run;
  busy(run, 0.8).counter("others_cpu_seconds_total", 1.2);
  EXPECT_NEAR(*without_ninety_ms(run, {"pool"}).throughput_bound, 1600, 1);
}

TEST(WhatIf, UsersThatComeAgainAtOnceWaitWhereTheNextResourceIsFull) {
  RunBuilder run;
  busy(run, 0.9).gauge("load_users", 16);
  EXPECT_NEAR(without_ninety_ms(run, {"pool"}).latency_without_ms, 16 / 177.8 * 1e3, 0.5);
}

TEST(WhatIf, UsersThatThinkLeaveTheNextResourceRoom) {
  RunBuilder run;
  busy(run, 0.9).gauge("load_users", 32);  // 100 ms to think
  EXPECT_NEAR(without_ninety_ms(run, {"pool"}).latency_without_ms, 32 / 177.8 * 1e3 - 100, 0.5);
}

TEST(WhatIf, ARateThatIsGivenStaysAsItIs) {
  RunBuilder run;
  busy(run, 0.9).gauge("load_target_rate", 160);
  EXPECT_NEAR(without_ninety_ms(run, {"pool"}).latency_without_ms, 10, 0.1);
}

}  // namespace
}  // namespace plumb::diagnose
