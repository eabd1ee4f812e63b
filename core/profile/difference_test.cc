#include "core/profile/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/profile/folded_text.h"
#include "core/profile/stacks_for_tests.h"

namespace plumb::profile {
namespace {

using ::testing::HasSubstr;
using testing::reader_of;
using testing::RunBuilder;
using testing::stacks_of;

using testing::kSecond;

// Steady for 10 s, with so many requests a second; 0: none were counted.
store::RunData run_of(uint64_t per_second, std::vector<FoldedStack> stacks,
                      const std::string& unit = "seconds") {
  RunBuilder builder;
  if (per_second > 0) builder.requests(0.01, per_second);
  store::RunData run = std::move(builder.data());
  run.stacks = reader_of({stacks_of("on_cpu", 2 * kSecond, 12 * kSecond, std::move(stacks), unit)});
  return run;
}

Difference compared(const store::RunData& run, const store::RunData& base, bool whole = false) {
  auto out = compare_profiles(run, base, "", whole);
  EXPECT_TRUE(out.is_ok()) << out.status().message();
  return std::move(out).value();
}

TEST(DifferenceTest, WeightsAreComparedPerRequest) {
  // Twice the requests with twice the processor time: nothing has changed.
  const auto same = compared(run_of(200, {{"a", 2}}), run_of(100, {{"a", 1}}));
  EXPECT_EQ(same.basis, Basis::kRequest);
  EXPECT_NEAR(same.change(same.tree.totals()[CallTree::kRoot]), 0, 1e-12);
  const auto slower = compared(run_of(100, {{"a", 2}}), run_of(100, {{"a", 1}}));
  EXPECT_NEAR(slower.change(slower.tree.totals()[CallTree::kRoot]), 0.5, 1e-12)
      << "half of what it weighs now";
  EXPECT_NEAR(slower.whole, 2.0 / 1000, 1e-12) << "2 ms of each of 1,000 requests";
}

TEST(DifferenceTest, WithoutRequestsTheyAreComparedPerSecond) {
  const auto difference = compared(run_of(100, {{"a", 3}}), run_of(0, {{"a", 1}}));
  EXPECT_EQ(difference.basis, Basis::kSecond);
  EXPECT_NEAR(difference.whole, 0.3, 1e-12);
}

TEST(DifferenceTest, OfTheWholeRunTheLengthCounts) {
  const auto difference = compared(run_of(100, {{"a", 3}}), run_of(100, {{"a", 3}}), true);
  EXPECT_EQ(difference.basis, Basis::kSecond);
  EXPECT_EQ(difference.runs[kRun].seconds, 12);
}

TEST(DifferenceTest, FoldedTextHasTheBaseFirstAndInTheRunsMeasure) {
  const auto difference = compared(run_of(200, {{"m;a", 2}, {"m;new", 1}}),
                                   run_of(100, {{"m;a", 0.5}, {"m;gone", 0.25}}));
  EXPECT_EQ(folded_text(difference), "m;a 1000000 2000000\nm;gone 500000 0\nm;new 0 1000000\n");
}

TEST(DifferenceTest, ProfilesInDifferentUnitsDoNotCompare) {
  const auto out =
      compare_profiles(run_of(1, {{"a", 1}}), run_of(1, {{"a", 1}}, "bytes"), "", false);
  EXPECT_EQ(out.status().code(), PLUMB_INVALID_ARGUMENT);
  EXPECT_THAT(out.status().message(), HasSubstr("in bytes"));
}

TEST(DifferenceTest, SaysWhichRunHasNoSuchProfile) {
  store::RunData bare = run_of(1, {{"a", 1}});
  bare.header.id = "20261119T091500Z-1a2b";
  bare.stacks = {};
  const auto out = compare_profiles(run_of(1, {{"a", 1}}), bare, "", false);
  EXPECT_EQ(out.status().code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(out.status().message(), HasSubstr("run 20261119T091500Z-1a2b"));
}

TEST(DifferenceTest, TwoEmptyProfilesAreTheSame) {
  const auto difference = compared(run_of(100, {}), run_of(100, {}));
  EXPECT_EQ(difference.whole, 0);
  EXPECT_EQ(difference.change({0, 0}), 0);
  EXPECT_EQ(folded_text(difference), "");
}

}  // namespace
}  // namespace plumb::profile
