#include "core/compare/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::compare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class BaselineTest : public ::testing::Test {
 protected:
  Status set(const std::string& name, const std::vector<std::string>& runs,
             const std::string& plan = "shop") {
    std::vector<std::filesystem::path> files;
    for (const std::string& run : runs)
      files.push_back(directory_.write(run + ".plumb", "file of " + run));
    return baselines_.set({.plan = plan, .name = name, .set_unix_ms = 7, .runs = runs}, files);
  }

  TemporaryDirectory directory_;
  Baselines baselines_{directory_.path()};
};

TEST_F(BaselineTest, ADirectoryThatHasNoneListsNone) {
  const auto all = baselines_.list();
  ASSERT_TRUE(all.is_ok());
  EXPECT_TRUE(all->empty());
}

TEST_F(BaselineTest, IsFoundByPlanAndNameWithItsRunsInOrder) {
  ASSERT_TRUE(set("default", {"b", "a"}).is_ok());
  ASSERT_TRUE(set("default", {"c"}, "other plan / with signs").is_ok());
  const auto found = baselines_.find("shop", "default");
  ASSERT_TRUE(found.is_ok());
  EXPECT_THAT(found->runs, ElementsAre("b", "a"));
  EXPECT_EQ(found->set_unix_ms, 7);
  EXPECT_EQ(baselines_.list()->size(), 2u);
}

TEST_F(BaselineTest, SurvivesTheDeletionOfItsRuns) {
  ASSERT_TRUE(set("default", {"a"}).is_ok());
  std::filesystem::remove(directory_.path() / "a.plumb");
  const auto files = baselines_.files_of(*baselines_.find("shop", "default"));
  ASSERT_TRUE(files.is_ok()) << files.status().message();
  EXPECT_EQ(text_of(files->front()), "file of a");
}

TEST_F(BaselineTest, MayBeSetAnewFromItsOwnCopyWhenTheRunIsGone) {
  ASSERT_TRUE(set("default", {"a"}).is_ok());
  const auto files = baselines_.files_of(*baselines_.find("shop", "default"));
  std::filesystem::remove(directory_.path() / "a.plumb");
  ASSERT_TRUE(baselines_.set({"shop", "kept", 8, {"a"}}, *files).is_ok());
  ASSERT_TRUE(baselines_.remove("shop", "default").is_ok());
  EXPECT_EQ(text_of(baselines_.files_of(*baselines_.find("shop", "kept"))->front()), "file of a");
}

TEST_F(BaselineTest, AMissingCopyIsSaidToBeGoneAndHowToMendIt) {
  ASSERT_TRUE(set("default", {"a"}).is_ok());
  const Baseline baseline = *baselines_.find("shop", "default");
  std::filesystem::remove(baselines_.files_of(baseline)->front());
  const Status status = baselines_.files_of(baseline).status();
  EXPECT_EQ(status.code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(status.message(), HasSubstr("a.plumb is gone. plumb baseline set makes it anew"));
}

TEST_F(BaselineTest, SettingReplacesAndCopiesThatNobodyNamesGoAway) {
  ASSERT_TRUE(set("default", {"a", "b"}).is_ok());
  ASSERT_TRUE(set("default", {"b"}).is_ok());
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "baselines/a.plumb"));
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "baselines/b.plumb"));
  ASSERT_TRUE(baselines_.remove("shop", "default").is_ok());
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "baselines/b.plumb"));
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "b.plumb"));
}

TEST_F(BaselineTest, AnUnknownOneSuggestsWhatThereIs) {
  ASSERT_TRUE(set("release", {"a"}).is_ok());
  const Status status = baselines_.find("shop", "relase").status();
  EXPECT_EQ(status.code(), PLUMB_NOT_FOUND);
  EXPECT_THAT(status.message(), HasSubstr("Did you mean 'release'?"));
  EXPECT_FALSE(baselines_.remove("shop", "relase").is_ok());
}

TEST_F(BaselineTest, AnIndexThatIsNoIndexIsAnErrorAndIsNotOverwritten) {
  ASSERT_TRUE(set("default", {"a"}).is_ok());
  for (const char* index : {"{", "[]", R"({"baselines": [{"plan": 1}]})",
                            R"({"baselines": [{"plan":"p","name":"n","runs":["../../x"]}]})",
                            R"({"version": 99, "baselines": []})"}) {
    directory_.write("baselines/index.json", index);
    EXPECT_THAT(baselines_.list().status().message(), HasSubstr("index.json")) << index;
    EXPECT_FALSE(set("other", {"a"}).is_ok());
    EXPECT_EQ(text_of(directory_.path() / "baselines/index.json"), index);
  }
}

TEST_F(BaselineTest, NamesAreShortAndFitForACommandLine) {
  for (const char* good : {"default", "v1.2", "release_2026-11"})
    EXPECT_TRUE(is_baseline_name(good));
  for (const char* bad : {"", "-n", ".", "a b", "a/b", "ü"}) EXPECT_FALSE(is_baseline_name(bad));
  EXPECT_FALSE(is_baseline_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace plumb::compare
