#include "plugins/host_metrics/monotonic.h"

#include <gtest/gtest.h>

#include <limits>

namespace plumb::host_metrics {
namespace {

TEST(MonotonicTotal, SkipsAReadingThatFellAndGoesOnWithTheNext) {
  MonotonicTotal t;
  EXPECT_EQ(t.add(100), 100);
  EXPECT_EQ(t.add(12), std::nullopt);  // a torn "120"
  EXPECT_EQ(t.add(130), 130);
}

TEST(MonotonicTotal, AfterThreeLowReadingsGrowthCountsFromTheNewStart) {
  MonotonicTotal t;
  EXPECT_EQ(t.add(100), 100);
  EXPECT_EQ(t.add(5), std::nullopt);
  EXPECT_EQ(t.add(6), std::nullopt);
  EXPECT_EQ(t.add(7), 100);
  EXPECT_EQ(t.add(10), 103);
}

TEST(MonotonicTotal, RefusesWhatIsNoNumber) {
  MonotonicTotal t;
  EXPECT_EQ(t.add(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(t.add(std::numeric_limits<double>::infinity()), std::nullopt);
  EXPECT_EQ(t.add(-1), std::nullopt);
  EXPECT_EQ(t.add(3), 3);
}

TEST(ReapedBalance, OnlyWhatNobodyWasCountedForIsNew) {
  ReapedBalance b;
  b.ended(40);
  b.grew(45);
  EXPECT_EQ(b.settle(), 5u);
}

TEST(ReapedBalance, AParentThatReapsLateIsNotCountedTwice) {
  ReapedBalance b;
  b.ended(40);
  EXPECT_EQ(b.settle(), 0u);
  b.grew(45);
  EXPECT_EQ(b.settle(), 5u);
}

TEST(ReapedBalance, ADebtThatIsNeverPaidIsWrittenOff) {
  ReapedBalance b;
  b.ended(40);
  EXPECT_EQ(b.settle(), 0u);
  EXPECT_EQ(b.settle(), 0u);
  b.grew(45);
  EXPECT_EQ(b.settle(), 45u);
}

}  // namespace
}  // namespace plumb::host_metrics
