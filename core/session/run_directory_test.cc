#include "core/session/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::session {
namespace {

using testing::HasSubstr;

class RunDirectory : public testing::Test {
 protected:
  RunDirectory() {
    directory_.write("20261120T104512Z-7f3a.plumb", "");
    directory_.write("20261121T104512Z-0b1c.plumb", "");
    directory_.write("20261119T104512Z-ab1c.plumb", "");
    directory_.write("20261121T104512Z-0b1c.html", "");
  }
  std::string found(std::string_view name) {
    const auto run = find_run(directory_.path(), name);
    return run.is_ok() ? run->stem().string() : run.status().message();
  }
  TemporaryDirectory directory_;
};

TEST_F(RunDirectory, ListsRunsNewestFirst) {
  const auto runs = list_runs(directory_.path());
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].stem(), "20261121T104512Z-0b1c");
  EXPECT_TRUE(list_runs(directory_.path() / "none").empty());
}

TEST_F(RunDirectory, FindsARunByPathIdSuffixOrAsTheLast) {
  const std::string path = (directory_.path() / "20261120T104512Z-7f3a.plumb").string();
  EXPECT_EQ(found(path), "20261120T104512Z-7f3a");
  EXPECT_EQ(found("20261120T104512Z-7f3a"), "20261120T104512Z-7f3a");
  EXPECT_EQ(found("7f3a"), "20261120T104512Z-7f3a");
  EXPECT_EQ(found("last"), "20261121T104512Z-0b1c");
}

TEST_F(RunDirectory, SaysWhatIsThereWhenItFindsNone) {
  EXPECT_THAT(found("7f3b"), HasSubstr("Did you mean '7f3a'?"));
  EXPECT_THAT(found("b1c"), HasSubstr("more than one run ends in b1c"));
  EXPECT_THAT(found("x.plumb"), HasSubstr("there is no file x.plumb"));
  EXPECT_THAT(find_run(directory_.path() / "none", "last").status().message(),
              HasSubstr("there are no runs in"));
}

}  // namespace
}  // namespace plumb::session
