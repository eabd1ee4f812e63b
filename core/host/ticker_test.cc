#include "core/host/ticker.h"

#include <gtest/gtest.h>

#include <array>

namespace plumb::host {
namespace {

TEST(TickerTest, KeepsItsScheduleWhateverACollectTakes) {
  Ticker ticker(1'000, 100);
  EXPECT_EQ(ticker.next_ns(), 1'000);
  EXPECT_EQ(ticker.served(1'090), 0u);
  EXPECT_EQ(ticker.next_ns(), 1'100);
  EXPECT_EQ(ticker.served(1'101), 0u);
  EXPECT_EQ(ticker.next_ns(), 1'200);
}

TEST(TickerTest, AWobbleKeepsThePaceAndMeetsAnEvenRhythmInEveryPhase) {
  constexpr int64_t kInterval = 100'000;
  constexpr int64_t kRhythm = 25'000;  // four beats an interval
  Ticker ticker(0, kInterval, 0.25);
  std::array<int, 5> phases{};
  int64_t last = 0;
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(ticker.served(last), 0u);
    ASSERT_GE(ticker.next_ns() - last, kInterval * 3 / 4);
    ASSERT_LE(ticker.next_ns() - last, kInterval * 5 / 4);
    last = ticker.next_ns();
    ++phases.at(static_cast<size_t>(last % kRhythm / 5'000));
  }
  EXPECT_NEAR(static_cast<double>(last), 1e3 * kInterval, 15.0 * kInterval);
  for (const int hits : phases) EXPECT_NEAR(hits, 200, 60);
}

TEST(TickerTest, ATickOverrunIsPassedOverAndCounted) {
  Ticker ticker(1'000, 100);
  EXPECT_EQ(ticker.served(1'101), 1u);
  EXPECT_EQ(ticker.next_ns(), 1'200);
  EXPECT_EQ(ticker.served(1'750), 5u);
  EXPECT_EQ(ticker.next_ns(), 1'800);
}

TEST(TickerTest, ATickDueAtThisInstantIsNotPassedOver) {
  Ticker ticker(1'000, 100);
  EXPECT_EQ(ticker.served(1'100), 0u);
  EXPECT_EQ(ticker.next_ns(), 1'100);
}

TEST(TickerTest, ARestGoesOnAtATickOfTheSchedule) {
  Ticker ticker(1'000, 100);
  EXPECT_EQ(ticker.served(1'010), 0u);
  ticker.rest_until(1'301);
  EXPECT_EQ(ticker.next_ns(), 1'400);
  EXPECT_EQ(ticker.served(1'420), 0u);
  EXPECT_EQ(ticker.next_ns(), 1'500) << "a rest is for once";
  ticker.rest_until(1'800);
  EXPECT_EQ(ticker.next_ns(), 1'800);
}

TEST(TickerTest, ARestShorterThanTheIntervalChangesNothing) {
  Ticker ticker(1'000, 100);
  for (const int64_t until : {int64_t{0}, int64_t{900}, int64_t{1'000}, INT64_MIN}) {
    ticker.rest_until(until);
    EXPECT_EQ(ticker.next_ns(), 1'000);
  }
}

TEST(TickerTest, ARestThatIsEndedGoesOnAtTheNextTickOfTheSchedule) {
  Ticker ticker(1'000, 100);
  ticker.rest_until(1'900);
  ticker.end_rest(1'310);
  EXPECT_EQ(ticker.next_ns(), 1'400);
  ticker.end_rest(1'310);
  EXPECT_EQ(ticker.next_ns(), 1'400);
  ticker.end_rest(1'450);
  EXPECT_EQ(ticker.next_ns(), 1'400) << "overdue, and still to be served";
}

}  // namespace
}  // namespace plumb::host
