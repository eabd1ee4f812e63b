#include "plugins/http_load/arrivals.h"

#include <gtest/gtest.h>

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
