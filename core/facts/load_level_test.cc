#include "core/facts/load_level.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::facts {
namespace {

using testing::RunBuilder;
constexpr Window kEarly{2 * RunBuilder::kSecond, 12 * RunBuilder::kSecond};
constexpr Window kLate{12 * RunBuilder::kSecond, 22 * RunBuilder::kSecond};

std::vector<double> levels(double early, double late) {
  std::vector<double> out(12, early);
  out.resize(23, late);
  return out;
}

TEST(LoadLevel, IsTheSameWhereTheRateStays) {
  RunBuilder run(20);
  run.gauge_over_time("load_target_rate", levels(100, 102), "requests/s");
  EXPECT_TRUE(is_same_load(run.data(), kEarly, kLate));
  EXPECT_TRUE(is_even_load(run.data(), {kEarly.start_ns, kLate.end_ns}));
}

TEST(LoadLevel, OfMoreUsersIsAnother) {
  RunBuilder run(20);
  run.gauge_over_time("load_users", levels(8, 12), "users");
  EXPECT_FALSE(is_same_load(run.data(), kEarly, kLate));
  EXPECT_FALSE(is_even_load(run.data(), {kEarly.start_ns, kLate.end_ns}));
  EXPECT_TRUE(is_even_load(run.data(), kEarly));
}

TEST(LoadLevel, OfAnIntervalThatTwoStagesShareDoesNotCount) {
  RunBuilder run(20);
  std::vector<double> rates = levels(100, 100);
  rates[11] = 700;  // the last of the early window
  run.gauge_over_time("load_target_rate", rates, "requests/s");
  EXPECT_TRUE(is_even_load(run.data(), kEarly));
  EXPECT_TRUE(is_same_load(run.data(), kEarly, kLate));
}

TEST(LoadLevel, OfARunThatSaysNothingOfItIsTaken) {
  EXPECT_TRUE(is_even_load(RunBuilder(20).data(), kEarly));
}

}  // namespace
}  // namespace plumb::facts
