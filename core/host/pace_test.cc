#include "core/host/pace.h"

#include <gtest/gtest.h>

namespace plumb::host {
namespace {

constexpr int64_t kOneMs = 1'000'000;
constexpr int64_t kOneSecond = 1'000 * kOneMs;

// A process that uses `share` of a processor for as long as it is called every 100 ms, and less in
// proportion when it is called less.
class CostlySampler {
 public:
  CostlySampler(double share, double budget) : share_(share), pace_(100 * kOneMs, budget) {}

  void run(int64_t seconds) {
    const int64_t until = now_ + seconds * kOneSecond;
    while (now_ < until) {
      now_ += pace_.interval_ns();
      cpu_ += static_cast<int64_t>(share_ * 100 * kOneMs);
      changes_ += pace_.judge(now_, cpu_) ? 1 : 0;
    }
  }
  void set_share(double share) { share_ = share; }
  int64_t interval_ms() const { return pace_.interval_ns() / kOneMs; }
  double share() const { return pace_.share(); }
  int changes() const { return changes_; }

 private:
  double share_;
  Pace pace_;
  int64_t now_ = 7 * kOneSecond;
  int64_t cpu_ = 3 * kOneSecond;
  int changes_ = 0;
};

TEST(PaceTest, ASamplerWithinItsBudgetKeepsItsInterval) {
  CostlySampler sampler(0.02, 0.03);
  sampler.run(60);
  EXPECT_EQ(sampler.interval_ms(), 100);
  EXPECT_EQ(sampler.changes(), 0);
  EXPECT_NEAR(sampler.share(), 0.02, 1e-6);
}

TEST(PaceTest, ASamplerBeyondItsBudgetIsCalledMoreSeldomUntilItKeepsIt) {
  CostlySampler sampler(0.10, 0.03);
  sampler.run(60);
  EXPECT_EQ(sampler.interval_ms(), 400);
  EXPECT_EQ(sampler.changes(), 2);
  EXPECT_LE(sampler.share(), 0.03);
}

TEST(PaceTest, WithRoomAgainItComesBackToItsInterval) {
  CostlySampler sampler(0.10, 0.03);
  sampler.run(60);
  sampler.set_share(0.005);
  sampler.run(60);
  EXPECT_EQ(sampler.interval_ms(), 100);
}

TEST(PaceTest, ItDoesNotSwingAroundTheBudget) {
  CostlySampler sampler(0.055, 0.03);  // 0.0275 at 200 ms: within, but twice of it would not be
  sampler.run(300);
  EXPECT_EQ(sampler.interval_ms(), 200);
  EXPECT_EQ(sampler.changes(), 1);
}

TEST(PaceTest, ASamplerThatIsNeverCheapStopsSlowingAtAThirtysecondOfItsRate) {
  CostlySampler sampler(50, 0.03);
  sampler.run(600);
  EXPECT_EQ(sampler.interval_ms(), 3200);
}

TEST(PaceTest, WithoutABudgetTheIntervalStays) {
  CostlySampler sampler(0.9, 0);
  sampler.run(60);
  EXPECT_EQ(sampler.interval_ms(), 100);
  EXPECT_NEAR(sampler.share(), 0.9, 1e-6);
}

TEST(PaceTest, AClockThatStandsStillIsNoMeasurement) {
  Pace pace(100 * kOneMs, 0.03);
  EXPECT_FALSE(pace.judge(kOneSecond, kOneSecond));
  EXPECT_FALSE(pace.judge(kOneSecond, 9 * kOneSecond));
  EXPECT_EQ(pace.share(), 0);
}

}  // namespace
}  // namespace plumb::host
