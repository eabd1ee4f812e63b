#include "plugins/http_load/load_schedule.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

std::vector<Stage> two_stages_and_a_rest() {
  return {{PLUMB_STAGE_WARMUP, "warm-up", 0, kSecond},
          {PLUMB_STAGE_STEADY, "steady", kSecond, 3 * kSecond},
          {PLUMB_STAGE_COOLDOWN, "cool-down", 3 * kSecond, 4 * kSecond}};
}

TEST(LoadSchedule, OfOneLevelLastsThroughAllStagesButTheCoolDown) {
  LoadPlan plan;
  plan.model = Model::kOpen;
  plan.rate = 10;
  const LoadSchedule schedule(plan, two_stages_and_a_rest());
  EXPECT_EQ(schedule.end_ns(), 3 * kSecond);
  EXPECT_EQ(schedule.rate(0, 3 * kSecond), 10);
  int arrivals = 0;
  for (const auto a = schedule.arrivals({}); a->next_ns() != kNever; a->take()) ++arrivals;
  EXPECT_EQ(arrivals, 30);
}

TEST(LoadSchedule, OfStagesGivesEachItsOwnModelAndLevel) {
  LoadPlan plan;
  plan.stages = {{Model::kOpen, 0, 10}, {Model::kClosed, 4, 4}};
  const LoadSchedule schedule(plan, two_stages_and_a_rest());
  EXPECT_EQ(schedule.rate(0, kSecond), 5);
  EXPECT_EQ(schedule.rate(kSecond, 2 * kSecond), 0);
  EXPECT_EQ(schedule.users(0), 0);
  EXPECT_EQ(schedule.users(2 * kSecond), 4);
}

TEST(LoadSchedule, AddsUsersAtTheSpawnRate) {
  LoadPlan plan;
  plan.users = 3;
  plan.spawn_rate = 2;
  const LoadSchedule schedule(plan, two_stages_and_a_rest());
  EXPECT_EQ(schedule.users(0), 1);
  EXPECT_EQ(schedule.users(600'000'000), 2);
  EXPECT_EQ(schedule.users(2 * kSecond), 3);
}

}  // namespace
}  // namespace plumb::http_load
