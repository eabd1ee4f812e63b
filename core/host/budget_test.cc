#include "core/host/budget.h"

#include <gtest/gtest.h>

namespace plumb::host {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(BudgetTest, LetsABurstThroughAndThenTheRate) {
  Budget budget(100, 2);
  int64_t now = kSecond;
  EXPECT_TRUE(budget.take(200, now));
  EXPECT_FALSE(budget.take(1, now));
  now += kSecond / 2;
  EXPECT_TRUE(budget.take(50, now));
  EXPECT_FALSE(budget.take(1, now));
}

TEST(BudgetTest, HoldsNoMoreThanABurst) {
  Budget budget(100, 2);
  EXPECT_TRUE(budget.take(200, kSecond));
  EXPECT_FALSE(budget.take(201, 1'000 * kSecond));
  EXPECT_TRUE(budget.take(200, 1'000 * kSecond));
}

TEST(BudgetTest, TakesNothingOfWhatDoesNotFit) {
  Budget budget(100, 1);
  EXPECT_FALSE(budget.take(101, kSecond));
  EXPECT_TRUE(budget.take(100, kSecond));
}

TEST(BudgetTest, AClockThatGoesBackGivesNothing) {
  Budget budget(100, 1);
  EXPECT_TRUE(budget.take(100, 5 * kSecond));
  EXPECT_FALSE(budget.take(1, kSecond));
}

}  // namespace
}  // namespace plumb::host
