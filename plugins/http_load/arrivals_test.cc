#include "plugins/http_load/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace plumb::http_load {
namespace {

TEST(OpenArrivals, AreAClosedFormOfTheirNumber) {
  OpenArrivals arrivals(1'000, 3);
  EXPECT_EQ(arrivals.at(0), 1'000);
  EXPECT_EQ(arrivals.at(1), 333'334'333);
  EXPECT_EQ(arrivals.at(2), 666'667'666);
  EXPECT_EQ(arrivals.at(3), 1'000'001'000);
}

TEST(OpenArrivals, DoNotDriftOverADay) {
  OpenArrivals arrivals(0, 10'000);
  const uint64_t a_day = uint64_t{10'000} * 86'400;
  EXPECT_EQ(arrivals.at(a_day), int64_t{86'400} * 1'000'000'000);
  EXPECT_EQ(arrivals.at(a_day + 1) - arrivals.at(a_day), 100'000);
}

TEST(OpenArrivals, DoNotCareAboutAnswers) {
  OpenArrivals arrivals(0, 1'000);
  arrivals.take();
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), 2'000'000);
  arrivals.completed(9'000'000);
  EXPECT_EQ(arrivals.next_ns(), 2'000'000);
}

std::vector<int64_t> first(Arrivals&& arrivals, size_t count) {
  std::vector<int64_t> out;
  for (; out.size() < count; arrivals.take()) out.push_back(arrivals.next_ns());
  return out;
}

// Kolmogorov and Smirnov's test of the gaps against the exponential distribution, at 1%.
TEST(PoissonArrivals, HaveExponentialGaps) {
  for (const uint64_t seed : {1, 2, 3}) {
    constexpr double kRate = 500;
    const std::vector<int64_t> times = first(PoissonArrivals(0, kRate, seed), 20'001);
    std::vector<double> gaps;
    for (size_t i = 1; i < times.size(); ++i)
      gaps.push_back(static_cast<double>(times[i] - times[i - 1]) / 1e9);
    std::sort(gaps.begin(), gaps.end());
    const auto n = static_cast<double>(gaps.size());
    double distance = 0;
    for (size_t i = 0; i < gaps.size(); ++i) {
      const double expected = 1 - std::exp(-kRate * gaps[i]);
      distance = std::max({distance, std::abs(expected - static_cast<double>(i) / n),
                           std::abs(expected - static_cast<double>(i + 1) / n)});
    }
    EXPECT_LT(distance, 1.63 / std::sqrt(n)) << "seed " << seed;
  }
}

TEST(PoissonArrivals, AreTheSameForTheSameSeedAndKeepTheirRate) {
  const auto times = first(PoissonArrivals(7, 1'000, 42), 100'000);
  EXPECT_EQ(times, first(PoissonArrivals(7, 1'000, 42), 100'000));
  EXPECT_NE(times, first(PoissonArrivals(7, 1'000, 43), 100'000));
  EXPECT_NEAR(static_cast<double>(times.back()) / 1e9, 100, 1.5);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST(ClosedArrivals, AllUsersBeginAtOnceWithoutASpawnRate) {
  ClosedArrivals arrivals(500, 3, 0, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(arrivals.next_ns(), 500);
    arrivals.take();
  }
  EXPECT_EQ(arrivals.next_ns(), kNever);
  EXPECT_EQ(arrivals.users(499), 0);
  EXPECT_EQ(arrivals.users(500), 3);
}

TEST(ClosedArrivals, AUserIsDueWhenItHasThought) {
  ClosedArrivals arrivals(0, 1, 0, 100);
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), kNever);
  arrivals.completed(7'000);
  EXPECT_EQ(arrivals.next_ns(), 7'100);
}

TEST(ClosedArrivals, SpawnsMixWithReadyUsersInOrderOfTime) {
  ClosedArrivals arrivals(0, 3, 1'000, 0);  // one user each millisecond
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), 1'000'000);
  arrivals.completed(400'000);
  EXPECT_EQ(arrivals.next_ns(), 400'000);
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), 1'000'000);
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), 2'000'000);
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), kNever);
  EXPECT_EQ(arrivals.users(0), 1);
  EXPECT_EQ(arrivals.users(1'500'000), 2);
  EXPECT_EQ(arrivals.users(9'000'000), 3);
}

}  // namespace
}  // namespace plumb::http_load
