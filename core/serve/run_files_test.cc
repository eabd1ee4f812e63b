#include "core/serve/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/serve/served_api_for_tests.h"

namespace plumb::serve {
namespace {

using testing::ElementsAre;

TEST(RunFiles, ListsRunsNewestFirstAndNothingElse) {
  const TemporaryDirectory directory;
  make_run_file(directory.path(), kRunId);
  make_run_file(directory.path(), kOtherRunId);
  directory.write("notes.plumb", "");
  directory.write(std::string(kRunId) + ".html", "");
  EXPECT_THAT(RunFiles(directory.path()).ids(), ElementsAre(kOtherRunId, kRunId));
}

TEST(RunFiles, ADirectoryThatIsNotThereHoldsNone) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(RunFiles(directory.path() / "none").ids().empty());
}

TEST(RunFiles, NoIdLeadsOutOfTheDirectory) {
  const TemporaryDirectory directory;
  const auto inside = directory.path() / "runs";
  std::filesystem::create_directory(inside);
  make_run_file(directory.path(), kRunId);
  const RunFiles files(inside);
  for (const std::string& id :
       {std::string("../") + kRunId, std::string(".."), std::string(""), std::string("/etc/passwd"),
        std::string(kRunId) + "/../x", std::string(kRunId) + std::string(1, '\0')}) {
    EXPECT_EQ(files.file_of(id).status().code(), PLUMB_NOT_FOUND) << id;
    EXPECT_EQ(files.remove(id).code(), PLUMB_NOT_FOUND) << id;
  }
}

TEST(RunFiles, ALinkIsNoRunFile) {
  const TemporaryDirectory directory;
  make_run_file(directory.path(), kRunId);
  std::filesystem::create_symlink(directory.path() / (std::string(kRunId) + ".plumb"),
                                  directory.path() / (std::string(kOtherRunId) + ".plumb"));
  EXPECT_FALSE(RunFiles(directory.path()).file_of(kOtherRunId).is_ok());
}

TEST(RunFiles, ARunOfAnotherProgramIsBeingWrittenUntilItsFileFallsSilent) {
  const TemporaryDirectory directory;
  store::RunHeader header;
  header.id = kRunId;
  header.plan = nlohmann::json::object();
  header.environment = nlohmann::json::object();
  const auto file = directory.path() / (std::string(kRunId) + ".plumb");
  const auto writer = store::RunWriter::create(file, header);
  ASSERT_TRUE(writer.is_ok());
  const RunFiles files(directory.path());
  EXPECT_TRUE(files.record(kRunId)->being_written);
  EXPECT_EQ(files.record(kRunId)->run.state, store::RunState::kRunning);

  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    std::filesystem::last_write_time(entry.path(), long_ago);
  }
  EXPECT_FALSE(files.record(kRunId)->being_written);
  EXPECT_EQ(files.record(kRunId)->run.state, store::RunState::kInterrupted);
}

TEST(RunFiles, DeletesARunWithAllThatLiesBesideIt) {
  const TemporaryDirectory directory;
  make_run_file(directory.path(), kRunId);
  make_run_file(directory.path(), kOtherRunId);
  directory.write(std::string(kRunId) + ".html", "");
  directory.write(std::string(kRunId) + ".target.log", "");
  const RunFiles files(directory.path());
  EXPECT_TRUE(files.remove(kRunId).is_ok());
  EXPECT_THAT(files.ids(), ElementsAre(kOtherRunId));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

}  // namespace
}  // namespace plumb::serve
