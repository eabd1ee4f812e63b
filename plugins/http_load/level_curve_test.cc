#include "plugins/http_load/level_curve.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

TEST(LevelCurve, KnowsWhenAnAreaIsFilled) {
  // 10/s for a second, up to 30/s within another, and down to nothing within two.
  LevelCurve curve(
      {{0, kSecond, 10, 10}, {kSecond, 2 * kSecond, 10, 30}, {2 * kSecond, 4 * kSecond, 30, 0}});
  EXPECT_EQ(curve.when(0), 0);
  EXPECT_EQ(curve.when(5), kSecond / 2);
  EXPECT_EQ(curve.when(10), kSecond);
  // 10 t + 10 t^2 = 7.5 at t = 0.5
  EXPECT_NEAR(static_cast<double>(curve.when(17.5L)) / 1e9, 1.5, 1e-9);
  // 30 t - 7.5 t^2 = 22.5 at t = 1
  EXPECT_NEAR(static_cast<double>(curve.when(52.5L)) / 1e9, 3, 1e-9);
  EXPECT_EQ(curve.when(60), kNever);
}

TEST(LevelCurve, HasAnAreaBetweenAnyTwoInstants) {
  const LevelCurve curve({{0, kSecond, 0, 10}, {kSecond, 2 * kSecond, 10, 10}});
  EXPECT_DOUBLE_EQ(static_cast<double>(curve.area(0, 2 * kSecond)), 15);
  EXPECT_DOUBLE_EQ(static_cast<double>(curve.area(kSecond / 2, 3 * kSecond / 2)), 8.75);
  EXPECT_DOUBLE_EQ(static_cast<double>(curve.area(5 * kSecond, 6 * kSecond)), 0);
}

TEST(LevelCurve, HasRoomForAUserWhenItRisesThroughItsNumber) {
  const LevelCurve curve(
      {{0, kSecond, 0, 4}, {kSecond, 2 * kSecond, 4, 4}, {2 * kSecond, 3 * kSecond, 4, 0}});
  EXPECT_EQ(curve.room_for(0, 0), 0);
  EXPECT_EQ(curve.room_for(1, 0), kSecond / 4);
  EXPECT_EQ(curve.room_for(1, kSecond / 2), kSecond / 2);
  EXPECT_EQ(curve.room_for(4, 0), kNever);
  EXPECT_EQ(curve.room_for(2, 5 * kSecond / 2), kNever) << "two are left, 0 and 1";
  EXPECT_EQ(curve.users(0), 1);
  EXPECT_EQ(curve.users(kSecond), 4);
  EXPECT_EQ(curve.users(5 * kSecond / 2), 2);
  EXPECT_EQ(curve.users(3 * kSecond), 0);
}

}  // namespace
}  // namespace plumb::http_load
