#include "core/capacity/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::capacity {
namespace {

using plumb::testing::RunBuilder;
using ::testing::HasSubstr;

constexpr Baseline kIdle = {0.010, 0.010, 0.012};

void promise(store::RunData& run, const std::string& metric, double limit,
             const std::string& endpoint = "") {
  run.header.plan["slos"].push_back(
      {{"endpoint", endpoint}, {"metric", metric}, {"limit", limit}, {"written", "so much"}});
}

Probe judged(const store::RunData& run, double rate, int connections = 0) {
  const std::optional<Probe> probe = judge(run, {rate, connections, false}, kIdle);
  EXPECT_TRUE(probe.has_value());
  return probe.value_or(Probe());
}

TEST(CapacityJudge, APromiseThatHoldsIsKept) {
  RunBuilder run;
  run.requests(0.012, 200);
  promise(run.data(), "p99", 0.05);
  const Probe probe = judged(run.data(), 200);
  EXPECT_EQ(probe.verdict, ProbeVerdict::kKept);
  EXPECT_NEAR(probe.offered, 200, 1);
  EXPECT_NEAR(probe.completed, 200, 1);
  EXPECT_EQ(probe.clause, "");
}

TEST(CapacityJudge, TheWorstMissedPromiseIsNamed) {
  RunBuilder run;
  run.requests(0.2, 200);
  promise(run.data(), "p95", 0.19);
  promise(run.data(), "p99", 0.05, "orders");
  const Probe probe = judged(run.data(), 200);
  EXPECT_EQ(probe.verdict, ProbeVerdict::kMissed);
  EXPECT_EQ(probe.clause, "p99 of orders");
  EXPECT_THAT(probe.why, HasSubstr("so much was promised"));
}

TEST(CapacityJudge, AGrowingBacklogIsMissedHoweverLenientThePromisesAre) {
  RunBuilder run;
  run.requests(0.012, 200).counter("http_scheduled_total", 210, {}, "requests");
  run.counter("http_started_total", 210, {}, "requests");
  promise(run.data(), "p99", 60);
  const Probe probe = judged(run.data(), 210);
  EXPECT_EQ(probe.verdict, ProbeVerdict::kMissed);
  EXPECT_TRUE(probe.behind);
  EXPECT_EQ(probe.clause, kBacklogClause);
}

TEST(CapacityJudge, AGeneratorThatWasTheLimitBlamesNobody) {
  RunBuilder run;
  run.requests(0.2, 200).counter("generator_cpu_seconds_total", 0.99);
  run.histogram("http_phase_seconds", 0.15, 200, {{"endpoint", "orders"}, {"phase", "lag"}});
  promise(run.data(), "p99", 0.05);
  EXPECT_EQ(judged(run.data(), 200).verdict, ProbeVerdict::kGeneratorLimited);
}

TEST(CapacityJudge, RequestsThatTheGeneratorBeganLateBlameNobody) {
  RunBuilder run;
  run.requests(0.2, 200);
  run.histogram("http_phase_seconds", 0.15, 200, {{"endpoint", "orders"}, {"phase", "lag"}});
  promise(run.data(), "p99", 0.05);
  const Probe probe = judged(run.data(), 200);
  EXPECT_EQ(probe.verdict, ProbeVerdict::kGeneratorLimited);
  EXPECT_THAT(probe.why, HasSubstr("late"));
  EXPECT_EQ(probe.clause, "");
}

TEST(CapacityJudge, BusyConnectionsToAnIdleTargetAreTheGeneratorsLimit) {
  RunBuilder run;
  run.requests(0.2, 200);
  run.histogram("http_service_seconds", 0.010, 200, {{"endpoint", "orders"}, {"outcome", "ok"}});
  run.gauge("http_in_flight", 2, {}, "requests");
  promise(run.data(), "p99", 0.05);
  EXPECT_EQ(judged(run.data(), 200, 2).verdict, ProbeVerdict::kGeneratorLimited);
  EXPECT_EQ(judged(run.data(), 200, 512).verdict, ProbeVerdict::kMissed);
}

TEST(CapacityJudge, FailuresAreMissedHoweverFastTheyAre) {
  RunBuilder run;
  run.requests(0.012, 200);
  run.histogram("http_response_seconds", 0.001, 300,
                {{"endpoint", "orders"}, {"outcome", "failed"}});
  run.counter("http_scheduled_total", 500, {}, "requests");
  promise(run.data(), "error_rate", 0.01);
  const Probe probe = judged(run.data(), 500);
  EXPECT_EQ(probe.verdict, ProbeVerdict::kMissed);
  EXPECT_EQ(probe.clause, "error_rate");
  EXPECT_NEAR(probe.answered, 200, 1);
  EXPECT_FALSE(probe.drained);
}

TEST(CapacityJudge, TooFewRequestsAreNoVerdict) {
  RunBuilder run;
  run.requests(0.012, 2);
  promise(run.data(), "p99", 0.05);
  EXPECT_EQ(judged(run.data(), 2).verdict, ProbeVerdict::kInsufficient);
}

TEST(CapacityJudge, ALoadThatEndedEarlyCannotBeJudged) {
  RunBuilder run;
  run.requests(0.012, 200);
  run.data().health.push_back(
      {"test", 5 * RunBuilder::kSecond, PLUMB_HEALTH_DARK, "ended by SIGKILL"});
  EXPECT_FALSE(judge(run.data(), {200, 0, false}, kIdle).has_value());
}

TEST(CapacityJudge, RequestsInFlightAtTheEndAreNotDrained) {
  RunBuilder run;
  run.requests(0.012, 200);
  EXPECT_FALSE(judged(run.data(), 200).drained);
  run.gauge("http_in_flight", 0, {}, "requests");
  EXPECT_TRUE(judged(run.data(), 200).drained);
}

TEST(CapacityPromises, APlanWithoutAnyGetsALimitOfTheBaselinesTenfold) {
  const auto promises = promises_of({}, kIdle);
  ASSERT_EQ(promises.size(), 2u);
  EXPECT_EQ(promises[0].metric, "p99");
  EXPECT_NEAR(promises[0].limit, 0.12, 0.002);
  EXPECT_EQ(promises[1].metric, "error_rate");
  EXPECT_EQ(promises[1].written, "1%");
  EXPECT_NEAR(promises_of({}, {0.0002, 0.0002, 0.0003})[0].limit, 0.02, 0.002);
}

TEST(CapacityPromises, ALeastRateIsLeftOutSinceNoLowRateKeepsIt) {
  const auto promises = promises_of({{"", "rate", 500, "500/s"}, {"", "p95", 0.05, "50ms"}}, kIdle);
  ASSERT_EQ(promises.size(), 2u);
  EXPECT_EQ(promises[0].metric, "p95");
  EXPECT_EQ(promises[1].metric, "error_rate");
}

TEST(CapacityBaseline, IsWhatOneUserSaw) {
  RunBuilder run;
  run.requests(0.010, 90);
  const auto baseline = baseline_of(run.data());
  ASSERT_TRUE(baseline.has_value());
  EXPECT_NEAR(baseline->mean_s, 0.010, 0.001);
  EXPECT_FALSE(baseline_of(RunBuilder().data()).has_value());
}

TEST(CapacityRecovery, IsTheFirstOfThreeKeptWindowsInARow) {
  RunBuilder run;
  run.requests(0.012, 200);
  promise(run.data(), "p99", 0.05);
  // Slow again in seconds 2, 3 and 5 of the run, so 6, 7 and 8 are the first three in a row.
  for (store::SeriesData& series : run.data().series)
    if (series.info.name == "http_response_seconds")
      for (HistogramRecord& record : series.histograms)
        for (const int64_t slow : {2, 3, 5})
          if (record.start_ns == slow * RunBuilder::kSecond)
            record.histogram.record(2'000'000'000, 100);
  EXPECT_EQ(recovered_at(run.data()), std::optional<int64_t>(6 * RunBuilder::kSecond));
  promise(run.data(), "p50", 0.001);
  EXPECT_EQ(recovered_at(run.data()), std::nullopt);
}

TEST(CapacityBacklog, AHundredthOfManyIsOneAndAFewOfAFewAreNone) {
  EXPECT_TRUE(falls_behind({10'000, 9'900, 5, false}));
  EXPECT_FALSE(falls_behind({10'000, 9'990, 5, false}));
  EXPECT_FALSE(falls_behind({100, 97, 1, false}));
}

TEST(CapacityBacklog, RandomArrivalsMayBringMoreForAWhile) {
  EXPECT_TRUE(falls_behind({1'000, 980, 5, false}));
  EXPECT_FALSE(falls_behind({1'000, 980, 5, true}));
  EXPECT_TRUE(falls_behind({1'000, 960, 5, true}));
}

}  // namespace
}  // namespace plumb::capacity
