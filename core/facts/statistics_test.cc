#include "core/facts/statistics.h"

#include <gtest/gtest.h>

namespace plumb::facts {
namespace {

store::SeriesData series_of(std::vector<int64_t> times, std::vector<double> values) {
  store::SeriesData series;
  series.times_ns = std::move(times);
  series.values = std::move(values);
  return series;
}

TEST(CounterGrowth, CountsOnlyWhatLiesInTheWindow) {
  const auto series = series_of({0, 1000, 2000, 3000}, {0, 10, 30, 60});
  EXPECT_DOUBLE_EQ(*counter_growth(series, {1000, 2000}), 20);
  EXPECT_DOUBLE_EQ(*counter_growth(series, {500, 1500}), 5 + 10);
}

TEST(CounterGrowth, TakesAFallAsARestartFromZero) {
  const auto series = series_of({0, 1000, 2000}, {100, 110, 4});
  EXPECT_DOUBLE_EQ(*counter_growth(series, {0, 2000}), 14);
}

TEST(CounterGrowth, IsUnknownWithoutTwoSamples) {
  EXPECT_FALSE(counter_growth(series_of({1000}, {5}), {0, 2000}));
  EXPECT_FALSE(counter_growth(series_of({0, 100}, {5, 6}), {1000, 2000}));
}

TEST(GaugeStatistics, DescribesTheSamplesInTheWindow) {
  const auto series = series_of({0, 1'000'000'000, 2'000'000'000, 3'000'000'000}, {99, 1, 2, 3});
  const auto gauge = gauge_statistics(series, {1'000'000'000, 3'000'000'000});
  ASSERT_TRUE(gauge);
  EXPECT_DOUBLE_EQ(gauge->mean, 2);
  EXPECT_DOUBLE_EQ(gauge->minimum, 1);
  EXPECT_DOUBLE_EQ(gauge->maximum, 3);
  EXPECT_DOUBLE_EQ(gauge->p95, 3);
  EXPECT_DOUBLE_EQ(gauge->last, 3);
  EXPECT_DOUBLE_EQ(*gauge->slope, 1);
}

TEST(GaugeStatistics, AreUnknownOutsideTheWindow) {
  EXPECT_FALSE(gauge_statistics(series_of({0}, {1}), {10, 20}));
}

TEST(MergedHistogram, LeavesOutWhatCrossesTheWindow) {
  store::SeriesData series;
  for (int64_t second = 0; second < 4; ++second) {
    HistogramRecord record{1, second * 1'000'000'000, (second + 1) * 1'000'000'000, Histogram()};
    record.histogram.record(static_cast<uint64_t>(100 * (second + 1)));
    series.histograms.push_back(std::move(record));
  }
  const auto merged = merged_histogram(series, {1'000'000'000, 3'000'000'000});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->count(), 2u);
  EXPECT_EQ(merged->minimum(), 200u);
  EXPECT_EQ(merged->maximum(), 300u);
}

TEST(Statistics, AnIntervalBelongsToTheOneWindowThatItsMiddleLiesIn) {
  store::SeriesData series;
  for (int64_t t = 0; t < 10; ++t) {
    HistogramRecord record{1, t * 1'000'000'000, (t + 1) * 1'000'000'000, Histogram()};
    record.histogram.record(5, 7);
    series.histograms.push_back(std::move(record));
  }
  uint64_t count = 0;
  for (const Window& part : equal_parts({0, 10'000'000'000}, 7))
    if (const auto h = merged_histogram(series, part)) count += h->count();
  EXPECT_EQ(count, 70u);
}

}  // namespace
}  // namespace plumb::facts
