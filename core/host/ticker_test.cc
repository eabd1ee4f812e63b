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

}  // namespace
}  // namespace plumb::host
