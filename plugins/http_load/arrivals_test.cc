#include "plugins/http_load/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace plumb::http_load {
namespace {

constexpr int64_t kDay = 86'400 * kSecond;

LevelCurve level(double value, int64_t start_ns = 0, int64_t end_ns = 2 * kDay) {
  return LevelCurve({{start_ns, end_ns, value, value}});
}
OpenArrivals constant(double rate, int64_t start_ns = 0, Share share = {}) {
  return OpenArrivals(level(rate, start_ns), std::nullopt, share);
}
OpenArrivals poisson(double rate, uint64_t seed, Share share = {}) {
  return OpenArrivals(level(rate), seed, share);
}

std::vector<int64_t> first(Arrivals&& arrivals, size_t count) {
  std::vector<int64_t> out;
  while (out.size() < count && arrivals.next_ns() != kNever) out.push_back(arrivals.take().due_ns);
  return out;
}

TEST(OpenArrivals, AreAClosedFormOfTheirNumber) {
  EXPECT_EQ(first(constant(3, 1'000), 4),
            (std::vector<int64_t>{1'000, 333'334'333, 666'667'666, 1'000'001'000}));
}

TEST(OpenArrivals, DoNotDriftOverADay) {
  // Every millionth of 10,000 a second: the last of these is due after a day.
  OpenArrivals arrivals = constant(10'000, 0, {0, 1'000'000});
  const std::vector<int64_t> times = first(std::move(arrivals), 865);
  EXPECT_EQ(times.back(), kDay);
}

TEST(OpenArrivals, EndWithTheLoad) {
  OpenArrivals arrivals(level(10, 0, kSecond), std::nullopt, {});
  EXPECT_EQ(first(std::move(arrivals), 100).size(), 10u);
}

TEST(OpenArrivals, DoNotCareAboutAnswers) {
  OpenArrivals arrivals = constant(1'000);
  arrivals.take();
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), 2'000'000);
  arrivals.completed(0, 9'000'000);
  EXPECT_EQ(arrivals.next_ns(), 2'000'000);
}

TEST(OpenArrivals, FollowARampFromNothing) {
  // 0 to 100/s in 10 s: 500 arrivals, the n-th at sqrt(n / 5) seconds.
  OpenArrivals arrivals(LevelCurve({{0, 10 * kSecond, 0, 100}}), std::nullopt, {});
  const std::vector<int64_t> times = first(std::move(arrivals), 1'000);
  ASSERT_EQ(times.size(), 500u);
  for (const size_t n : {1u, 5u, 125u, 499u})
    EXPECT_NEAR(static_cast<double>(times[n]) / 1e9, std::sqrt(static_cast<double>(n) / 5), 1e-8);
}

TEST(OpenArrivals, RestWhereTheRateIsNothing) {
  OpenArrivals arrivals(
      LevelCurve(
          {{0, kSecond, 2, 2}, {kSecond, 5 * kSecond, 0, 0}, {5 * kSecond, 6 * kSecond, 2, 2}}),
      std::nullopt, {});
  EXPECT_EQ(first(std::move(arrivals), 10),
            (std::vector<int64_t>{0, kSecond / 2, 5 * kSecond, 5 * kSecond + kSecond / 2}));
}

// Kolmogorov and Smirnov's test of the gaps against the exponential distribution, at 1%.
TEST(PoissonArrivals, HaveExponentialGaps) {
  for (const uint64_t seed : {1, 2, 3}) {
    constexpr double kRate = 500;
    const std::vector<int64_t> times = first(poisson(kRate, seed), 20'001);
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
  const auto times = first(poisson(1'000, 42), 100'000);
  EXPECT_EQ(times, first(poisson(1'000, 42), 100'000));
  EXPECT_NE(times, first(poisson(1'000, 43), 100'000));
  EXPECT_NEAR(static_cast<double>(times.back()) / 1e9, 100, 1.5);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST(PoissonArrivals, SharedOutAreTheSame) {
  const auto alone = first(poisson(1'000, 7), 300);
  std::vector<int64_t> together;
  for (uint32_t i = 0; i < 3; ++i)
    for (const int64_t time : first(poisson(1'000, 7, {i, 3}), 100)) together.push_back(time);
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, alone);
}

TEST(ReplayArrivals, AreDueAsTheyWereRecorded) {
  const auto offsets =
      std::make_shared<std::vector<int64_t>>(std::vector<int64_t>{0, kSecond, 4 * kSecond});
  EXPECT_EQ(first(ReplayArrivals(10, offsets, 2, {}), 10),
            (std::vector<int64_t>{10, 10 + kSecond / 2, 10 + 2 * kSecond}));
}

ClosedArrivals closed(LevelCurve users, int64_t think_ns = 0, int64_t pacing_ns = 0) {
  return ClosedArrivals(std::move(users), 0, think_ns, pacing_ns, {});
}

TEST(ClosedArrivals, AllUsersBeginAtOnce) {
  ClosedArrivals arrivals(level(3, 500), 500, 0, 0, {});
  for (uint32_t user = 0; user < 3; ++user) {
    EXPECT_EQ(arrivals.next_ns(), 500);
    const Arrival arrival = arrivals.take();
    EXPECT_EQ(arrival.user, user);
    EXPECT_TRUE(arrival.fresh);
  }
  EXPECT_EQ(arrivals.next_ns(), kNever);
}

TEST(ClosedArrivals, AUserIsDueWhenItHasThought) {
  ClosedArrivals arrivals = closed(level(1), 100);
  arrivals.take();
  EXPECT_EQ(arrivals.next_ns(), kNever);
  arrivals.completed(0, 7'000);
  EXPECT_EQ(arrivals.next_ns(), 7'100);
  EXPECT_FALSE(arrivals.take().fresh);
}

TEST(ClosedArrivals, NewUsersMixWithThoseAtWorkInOrderOfTime) {
  // Three users in 3 ms, then all of them.
  ClosedArrivals arrivals = closed(LevelCurve({{0, 3'000'000, 0, 3}, {3'000'000, kSecond, 3, 3}}));
  EXPECT_EQ(arrivals.take().due_ns, 0);
  EXPECT_EQ(arrivals.next_ns(), 1'000'000);
  arrivals.completed(0, 400'000);
  EXPECT_EQ(arrivals.take().due_ns, 400'000);
  EXPECT_EQ(arrivals.take().due_ns, 1'000'000);
  EXPECT_EQ(arrivals.take().due_ns, 2'000'000);
  EXPECT_EQ(arrivals.next_ns(), kNever);
}

TEST(ClosedArrivals, UsersLeaveWhenTheLevelFallsAndComeBackFresh) {
  ClosedArrivals arrivals = closed(
      LevelCurve({{0, kSecond, 2, 2}, {kSecond, 2 * kSecond, 1, 1}, {2 * kSecond, kDay, 2, 2}}));
  arrivals.take();
  arrivals.take();
  arrivals.completed(1, kSecond + 1);
  EXPECT_EQ(arrivals.next_ns(), 2 * kSecond) << "there is no room for the second user till then";
  arrivals.completed(0, kSecond + 2);
  EXPECT_EQ(arrivals.take().user, 0u);
  const Arrival back = arrivals.take();
  EXPECT_EQ(back.user, 1u);
  EXPECT_TRUE(back.fresh);
}

}  // namespace
}  // namespace plumb::http_load
