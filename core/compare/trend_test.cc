#include "core/compare/trend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/facts/random.h"

namespace plumb::compare {
namespace {

using ::testing::HasSubstr;

// Twenty runs whose p95 rises from 50 to 65 ms with the thirteenth.
std::vector<HistoryRun> history() {
  facts::Random random(2);
  std::vector<HistoryRun> out;
  for (int i = 0; i < 20; ++i) {
    const auto near = [&](double value) { return value * (0.98 + 0.04 * random.unit()); };
    HistoryRun run;
    run.id = "run-" + std::to_string(i);
    run.started_unix_ms = 1'700'000'000'000 + i * 3'600'000;
    run.valid = true;
    run.p50_s = near(0.02);
    run.p95_s = near(i < 12 ? 0.05 : 0.065);
    run.p99_s = near(0.09);
    run.rate = near(200);
    run.error_rate = 0;
    out.push_back(run);
  }
  return out;
}

TEST(Trend, NamesTheRunWithWhichAFigureChangedItsSizeAndDirection) {
  const Trend trend = trend_of("shop", history());
  ASSERT_EQ(trend.changes.size(), 1u);
  EXPECT_EQ(trend.changes[0].metric, "p95");
  EXPECT_EQ(trend.changes[0].run, "run-12");
  EXPECT_TRUE(trend.changes[0].worse);
  EXPECT_NEAR(trend.changes[0].before, 0.05, 0.001);
  EXPECT_NEAR(trend.changes[0].after, 0.065, 0.001);
  EXPECT_THAT(trend.conclusion, HasSubstr("p95 rose from 49.8 ms to 65.2 ms (+31%)"));
  EXPECT_THAT(trend.conclusion, HasSubstr("with run run-12."));
}

TEST(Trend, InvalidRunsAreListedAndNothingRestsOnThem) {
  std::vector<HistoryRun> runs = history();
  for (size_t i = 0; i < runs.size(); ++i)
    if (i >= 12) runs[i].valid = false;
  const Trend trend = trend_of("shop", runs);
  EXPECT_EQ(trend.runs.size(), 20u);
  EXPECT_EQ(trend.valid, 12u);
  EXPECT_TRUE(trend.changes.empty());
}

TEST(Trend, AHigherRateIsAnImprovement) {
  std::vector<HistoryRun> runs = history();
  for (size_t i = 0; i < runs.size(); ++i) {
    runs[i].p95_s = 0.05;
    if (i >= 8) *runs[i].rate *= 1.5;
  }
  const Trend trend = trend_of("shop", runs);
  ASSERT_EQ(trend.changes.size(), 1u);
  EXPECT_EQ(trend.changes[0].metric, "rate");
  EXPECT_FALSE(trend.changes[0].worse);
}

TEST(Trend, ASmallChangeIsNotToldHoweverSureItIs) {
  std::vector<HistoryRun> runs = history();
  for (size_t i = 0; i < runs.size(); ++i) runs[i].p95_s = i < 12 ? 0.05 : 0.0515;
  EXPECT_TRUE(trend_of("shop", runs).changes.empty());
}

TEST(Trend, TooFewRunsAreSaidToBeTooFew) {
  EXPECT_THAT(trend_of("shop", {}).conclusion, HasSubstr("0 valid runs"));
}

}  // namespace
}  // namespace plumb::compare
