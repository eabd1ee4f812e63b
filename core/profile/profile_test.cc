#include "core/profile/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/profile/stacks_for_tests.h"

namespace plumb::profile {
namespace {

using ::testing::HasSubstr;
using testing::run_with;
using testing::RunBuilder;
using testing::stacks_of;

using testing::kSecond;

std::vector<Profile> loaded(const store::RunData& run, bool whole = false) {
  auto out = load_profiles(run, whole ? std::nullopt : facts::steady_window(run));
  EXPECT_TRUE(out.is_ok()) << out.status().message();
  return std::move(out).value();
}

TEST(ProfileTest, BatchesOfAProfileAddUp) {
  const auto run = run_with({stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"main;a", 0.5}}),
                             stacks_of("on_cpu", 3 * kSecond, 4 * kSecond, {{"main;a", 0.25}})});
  const auto profiles = loaded(run);
  ASSERT_EQ(profiles.size(), 1u);
  EXPECT_EQ(profiles[0].total, 0.75);
  EXPECT_EQ(profiles[0].unit, "seconds");
  EXPECT_EQ(profiles[0].tree.nodes().size(), 3u);
}

TEST(ProfileTest, OnlyTheJudgedWindowCountsAndABatchThatItCutsInProportion) {
  // Steady from second 2 to second 12.
  const auto run = run_with({stacks_of("on_cpu", 0, 2 * kSecond, {{"warmup", 8}}),
                             stacks_of("on_cpu", 1 * kSecond, 5 * kSecond, {{"edge", 4}}),
                             stacks_of("on_cpu", 11 * kSecond, 13 * kSecond, {{"end", 2}}),
                             stacks_of("on_cpu", 12 * kSecond, 13 * kSecond, {{"after", 16}})});
  EXPECT_DOUBLE_EQ(loaded(run)[0].total, 3 + 1);
  EXPECT_DOUBLE_EQ(loaded(run, true)[0].total, 8 + 4 + 2 + 16);
}

TEST(ProfileTest, ABatchOfAnInstantIsInsideOrNot) {
  const auto run = run_with({stacks_of("heap", 2 * kSecond, 2 * kSecond, {{"a", 1}}, "bytes"),
                             stacks_of("heap", 12 * kSecond, 12 * kSecond, {{"b", 2}}, "bytes")});
  EXPECT_EQ(loaded(run)[0].total, 1);
}

TEST(ProfileTest, PluginsAndUnitsAreKeptApart) {
  const auto run =
      run_with({stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 1}}),
                stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 2}}, "seconds", "other"),
                stacks_of("off_cpu", 2 * kSecond, 3 * kSecond, {{"a", 4}}),
                stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 8}}, "1")});
  EXPECT_EQ(loaded(run).size(), 4u);
}

TEST(ProfileTest, ARunWithoutStacksHasNoProfile) {
  EXPECT_TRUE(loaded(store::RunData()).empty());
  const auto none = choose_profile({}, "");
  EXPECT_EQ(none.status().code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(none.status().message(), HasSubstr("stack_profile"));
}

TEST(ProfileTest, AFileThatCannotBeReadIsAFailure) {
  store::RunData run;
  run.stacks = [](const auto&) { return Status::unavailable("the disk is gone"); };
  EXPECT_THAT(load_profiles(run, {}).status().message(), HasSubstr("the disk is gone"));
}

TEST(ProfileTest, TheUsualProfileIsChosenUnlessOneIsNamed) {
  const auto several = [] {
    return loaded(run_with({stacks_of("off_cpu", 2 * kSecond, 3 * kSecond, {{"a", 1}}),
                            stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 1}})}));
  };
  EXPECT_EQ(choose_profile(several(), "")->name, "on_cpu");
  EXPECT_EQ(choose_profile(several(), "off_cpu")->name, "off_cpu");
  EXPECT_EQ(choose_profile(several(), "stack_profile:off_cpu")->name, "off_cpu");
  EXPECT_THAT(choose_profile(several(), "heap").status().message(),
              HasSubstr("It has: on_cpu (of stack_profile), off_cpu (of stack_profile)"));
  EXPECT_EQ(
      choose_profile(loaded(run_with({stacks_of("heap", 0, kSecond, {{"a", 1}}, "bytes")})), "")
          ->name,
      "heap")
      << "the only one";
}

TEST(ProfileTest, ANameThatTwoPluginsUsedHasToSayWhose) {
  const auto both = [] {
    return loaded(
        run_with({stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 1}}),
                  stacks_of("on_cpu", 2 * kSecond, 3 * kSecond, {{"a", 2}}, "seconds", "other")}));
  };
  EXPECT_THAT(choose_profile(both(), "").status().message(), HasSubstr("other:on_cpu"));
  EXPECT_EQ(choose_profile(both(), "other:on_cpu")->total, 2);
}

}  // namespace
}  // namespace plumb::profile
