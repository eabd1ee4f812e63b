#include "core/imports/load_shape.h"

#include <gtest/gtest.h>

#include "core/imports/text_values.h"

namespace plumb::imports {
namespace {

// `rates[s]` requests end in second s.
LoadShape shape_of(const std::vector<double>& rates) {
  LoadShape out;
  for (size_t s = 0; s < rates.size(); ++s) out.ended[static_cast<int64_t>(s)] = rates[s];
  out.end_ns = static_cast<int64_t>(rates.size()) * kSecondNs;
  return out;
}

TEST(LoadShape, AnEvenLoadIsOneSteadyStage) {
  const auto stages = find_stages(shape_of(std::vector<double>(20, 100)), {});
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(stages[0].kind, static_cast<uint32_t>(PLUMB_STAGE_STEADY));
  EXPECT_EQ(stages[0].end_ns, 20 * kSecondNs);
}

TEST(LoadShape, ARampUpAndARampDownAreNotJudged) {
  std::vector<double> rates;
  for (int i = 1; i <= 10; ++i) rates.push_back(10 * i);
  rates.insert(rates.end(), 30, 100);
  for (int i = 9; i >= 0; --i) rates.push_back(10 * i);
  const auto stages = find_stages(shape_of(rates), {});
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_NEAR(static_cast<double>(stages[1].start_ns) / 1e9, 9, 1.5);
  EXPECT_NEAR(static_cast<double>(stages[1].end_ns) / 1e9, 45, 1.5);
}

TEST(LoadShape, AStallAndASlowTailStayInTheSteadyStage) {
  std::vector<double> rates(30, 100);
  rates[12] = rates[13] = rates[14] = 0;
  rates.insert(rates.end(), 20, 60);
  EXPECT_EQ(find_stages(shape_of(rates), {}).size(), 1u);
}

TEST(LoadShape, UsersCountForMoreThanTheRate) {
  LoadShape shape = shape_of(std::vector<double>(30, 100));
  for (int64_t s = 0; s < 30; ++s) shape.users[s] = s < 10 ? 1.0 + static_cast<double>(s) : 20;
  const auto stages = find_stages(shape, {});
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[1].start_ns, 10 * kSecondNs);
}

TEST(LoadShape, AGivenStageIsTaken) {
  const auto stages = find_stages(shape_of(std::vector<double>(30, 100)), std::pair{5.0, 12.0});
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[1].start_ns, 5 * kSecondNs);
  EXPECT_EQ(stages[1].end_ns, 12 * kSecondNs);
}

}  // namespace
}  // namespace plumb::imports
