#include "core/session/live.h"

#include <gtest/gtest.h>

#include <thread>

namespace plumb::session {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

SeriesInfo histogram_series(uint32_t id, std::string name, Labels labels) {
  return {.id = id,
          .plugin = "http_load",
          .name = std::move(name),
          .unit = "seconds",
          .kind = PLUMB_KIND_HISTOGRAM,
          .layer = PLUMB_LAYER_CLIENT,
          .labels = std::move(labels)};
}

HistogramRecord record(uint32_t series, int64_t second, uint64_t count, uint64_t value_ns) {
  HistogramRecord out{series, second * kSecond, (second + 1) * kSecond, Histogram()};
  if (count > 0) out.histogram.record(value_ns, count);
  return out;
}

class LiveTest : public testing::Test {
 protected:
  LiveTest() {
    live_.on_series(
        histogram_series(1, "http_response_seconds", {{"endpoint", "a"}, {"outcome", "ok"}}));
    live_.on_series(
        histogram_series(2, "http_response_seconds", {{"endpoint", "b"}, {"outcome", "ok"}}));
    live_.on_series(
        histogram_series(3, "http_response_seconds", {{"endpoint", "a"}, {"outcome", "failed"}}));
    live_.on_stage({PLUMB_STAGE_STEADY, "steady", 0, 30 * kSecond});
  }
  Live live_{30};
};

TEST_F(LiveTest, IntervalsMergeEndpointsAndOutcomes) {
  live_.on_histogram(record(1, 0, 90, 10'000'000));
  live_.on_histogram(record(2, 0, 10, 100'000'000));
  live_.on_histogram(record(3, 0, 5, 1'000'000));
  const LiveSnapshot now = live_.snapshot(2 * kSecond);
  ASSERT_TRUE(now.last);
  EXPECT_EQ(now.last->requests, 105u);
  EXPECT_EQ(now.last->failed, 5u);
  EXPECT_DOUBLE_EQ(now.last->rate, 105);
  EXPECT_NEAR(*now.last->p50_s, 0.010, 0.0001);
  EXPECT_NEAR(*now.last->p99_s, 0.100, 0.0005);
  EXPECT_EQ(now.requests, 105u);
  EXPECT_EQ(now.failed, 5u);
}

TEST_F(LiveTest, AnIntervalIsShownOnlyWhenItIsComplete) {
  live_.on_histogram(record(1, 0, 50, 10'000'000));
  live_.on_histogram(record(1, 1, 7, 10'000'000));
  EXPECT_EQ(live_.snapshot(2 * kSecond + 1'000'000).last->requests, 50u);
  EXPECT_EQ(live_.snapshot(2 * kSecond + 200'000'000).last->requests, 7u);
}

TEST_F(LiveTest, AnEmptyIntervalHasNoPercentiles) {
  live_.on_histogram(record(1, 0, 0, 0));
  const LiveSnapshot now = live_.snapshot(2 * kSecond);
  ASSERT_TRUE(now.last);
  EXPECT_EQ(now.last->requests, 0u);
  EXPECT_FALSE(now.last->p50_s);
}

TEST_F(LiveTest, TimeLeftCountsDownToZero) {
  EXPECT_DOUBLE_EQ(live_.snapshot(12 * kSecond).left_s, 18);
  EXPECT_DOUBLE_EQ(live_.snapshot(12 * kSecond).stage_elapsed_s, 12);
  EXPECT_DOUBLE_EQ(live_.snapshot(99 * kSecond).left_s, 0);
  EXPECT_DOUBLE_EQ(live_.snapshot(99 * kSecond).stage_elapsed_s, 30);
}

TEST_F(LiveTest, TheTopLayerIsWhatCostEachRequestMost) {
  live_.on_series({.id = 10,
                   .plugin = "host_metrics",
                   .name = "target_cpu_seconds_total",
                   .unit = "seconds",
                   .kind = PLUMB_KIND_COUNTER,
                   .layer = PLUMB_LAYER_APP,
                   .part = PLUMB_PART_BUSY});
  live_.on_series({.id = 11,
                   .plugin = "pg_stats",
                   .name = "pg_sessions",
                   .unit = "1",
                   .layer = PLUMB_LAYER_DATABASE,
                   .part = PLUMB_PART_WAIT,
                   .labels = {{"class", "lock"}}});
  live_.on_samples({{10, 0, 100}, {11, 0, 6}});
  live_.on_samples({{10, kSecond, 101}, {11, kSecond, 6}});
  live_.on_histogram(record(1, 0, 100, 80'000'000));
  const auto top = live_.snapshot(2 * kSecond).top;
  ASSERT_TRUE(top);
  EXPECT_EQ(top->name, "database");
  EXPECT_NEAR(top->ms, 60, 0.5);
  EXPECT_NEAR(top->of_ms, 80, 0.5);
}

TEST_F(LiveTest, WhatNobodySeesIsUnexplained) {
  live_.on_histogram(record(1, 0, 10, 120'000'000));
  EXPECT_EQ(live_.snapshot(2 * kSecond).top->name, "unexplained");
}

TEST_F(LiveTest, OnlyPluginsThatAreUnwellAreListed) {
  live_.on_health({"a", 1, PLUMB_HEALTH_DARK, "gone"});
  live_.on_health({"b", 1, PLUMB_HEALTH_DEGRADED, "half"});
  live_.on_health({"b", 2, PLUMB_HEALTH_OK, ""});
  const LiveSnapshot now = live_.snapshot(kSecond);
  ASSERT_EQ(now.unwell.size(), 1u);
  EXPECT_EQ(now.unwell[0].plugin, "a");
}

TEST_F(LiveTest, TheListOfPointsIsBounded) {
  for (int64_t second = 0; second < 700; ++second) live_.on_histogram(record(1, second, 1, 1000));
  EXPECT_EQ(live_.points(10'000).size(), 600u);
  EXPECT_EQ(live_.points(3).front().start_ns, 697 * kSecond);
}

TEST_F(LiveTest, SignalsAndSnapshotsMayComeFromSeveralThreads) {
  std::jthread writer([&] {
    for (int64_t second = 0; second < 500; ++second) live_.on_histogram(record(1, second, 1, 1000));
  });
  std::jthread other([&] {
    for (int64_t second = 0; second < 500; ++second) live_.on_histogram(record(2, second, 1, 1000));
  });
  for (int i = 0; i < 100; ++i) (void)live_.snapshot(i * kSecond);
  writer.join();
  other.join();
  EXPECT_EQ(live_.snapshot(0).requests, 1000u);
}

}  // namespace
}  // namespace plumb::session
