#include "core/facts/change_points.h"

#include <gtest/gtest.h>

#include "core/facts/random.h"

namespace plumb::facts {
namespace {

// Levels, each for so many values, with noise of one tenth.
std::vector<double> series(const std::vector<std::pair<double, int>>& stretches,
                           uint64_t seed = 1) {
  Random random(seed);
  std::vector<double> out;
  for (const auto& [level, count] : stretches)
    for (int i = 0; i < count; ++i) out.push_back(level + 0.2 * (random.unit() - 0.5));
  return out;
}

TEST(ChangePoints, AStepIsFoundWithItsPlaceSizeAndDirection) {
  const auto found = change_points(series({{1, 12}, {2, 10}}));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].index, 12u);
  EXPECT_NEAR(found[0].before, 1, 0.1);
  EXPECT_NEAR(found[0].after, 2, 0.1);
  EXPECT_LE(found[0].p, 0.01);
}

TEST(ChangePoints, AStepThatIsTakenBackIsTwoChanges) {
  const auto found = change_points(series({{1, 12}, {2, 8}, {1, 12}}));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].index, 12u);
  EXPECT_EQ(found[1].index, 20u);
  EXPECT_GT(found[0].after, found[0].before);
  EXPECT_LT(found[1].after, found[1].before);
}

TEST(ChangePoints, NoiseAloneIsNoChange) {
  size_t alarms = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed)
    alarms += change_points(series({{1, 30}}, seed)).empty() ? 0 : 1;
  EXPECT_LE(alarms, 2u);
}

TEST(ChangePoints, OneOutlierIsNoChange) {
  size_t alarms = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<double> values = series({{1, 30}}, seed);
    values[seed + 4] = 9;
    alarms += change_points(values).empty() ? 0 : 1;
  }
  EXPECT_LE(alarms, 1u);
}

TEST(ChangePoints, TooFewValuesAndEqualOnesHaveNone) {
  EXPECT_TRUE(change_points({}).empty());
  EXPECT_TRUE(change_points({1, 1, 9, 9}).empty());
  EXPECT_TRUE(change_points(std::vector<double>(40, 3)).empty());
}

TEST(ChangePoints, TheSameSeriesGivesTheSameAnswer) {
  const auto values = series({{1, 9}, {1.15, 9}});
  const auto once = change_points(values);
  const auto again = change_points(values);
  ASSERT_EQ(once.size(), again.size());
  for (size_t i = 0; i < once.size(); ++i) EXPECT_EQ(once[i].p, again[i].p);
}

}  // namespace
}  // namespace plumb::facts
