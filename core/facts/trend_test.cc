#include "core/facts/trend.h"

#include <gtest/gtest.h>

namespace plumb::facts {
namespace {

std::vector<TrendPoint> points_of(const std::vector<double>& values) {
  std::vector<TrendPoint> out;
  for (const double value : values) out.push_back({static_cast<double>(out.size()), value});
  return out;
}

TEST(Trend, OfWhatOnlyRisesIsOne) {
  EXPECT_DOUBLE_EQ(kendall_tau(points_of({1, 2, 3, 5, 8, 13, 21, 34})).value(), 1);
  EXPECT_DOUBLE_EQ(kendall_tau(points_of({8, 7, 6, 5, 4, 3, 2, 1})).value(), -1);
}

TEST(Trend, OfWhatGoesUpAndDownIsSmall) {
  EXPECT_NEAR(kendall_tau(points_of({1, 2, 1, 2, 1, 2, 1, 2})).value(), 0.19, 0.01);
}

TEST(Trend, OfAConstantOrAHandfulOfValuesIsUnknown) {
  EXPECT_FALSE(kendall_tau(points_of({4, 4, 4, 4, 4, 4, 4, 4})));
  EXPECT_FALSE(kendall_tau(points_of({1, 2, 3})));
}

TEST(Trend, ThinsManySamplesToMeansOfEqualParts) {
  std::vector<int64_t> times;
  std::vector<double> values;
  for (int64_t i = 0; i < 100; ++i) {
    times.push_back(i * 100'000'000);
    values.push_back(static_cast<double>(i / 10));
  }
  const auto points = thinned(times, values, {0, 10'000'000'000}, 10);
  ASSERT_EQ(points.size(), 10u);
  EXPECT_DOUBLE_EQ(points[3].value, 3);
  EXPECT_DOUBLE_EQ(points[3].seconds, 3);
}

}  // namespace
}  // namespace plumb::facts
