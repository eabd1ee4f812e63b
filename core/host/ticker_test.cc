#include "core/host/ticker.h"

#include <gtest/gtest.h>

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
