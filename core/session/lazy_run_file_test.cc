#include "core/session/lazy_run_file.h"

#include <gtest/gtest.h>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::session {
namespace {

class LazyRunFileTest : public testing::Test {
 protected:
  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      count += entry.exists() ? 1 : 0;
    return count;
  }
  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "run.plumb";
  LazyRunFile file_{path_, [] {
                      store::RunHeader header;
                      header.id = "20261120T104512Z-7f3a";
                      header.plan = nlohmann::json::object();
                      header.environment = nlohmann::json::object();
                      return header;
                    }};
};

TEST_F(LazyRunFileTest, ThereIsNoFileBeforeTheFirstSignal) {
  EXPECT_EQ(files(), 0u);
  file_.discard();
  EXPECT_EQ(files(), 0u);
}

TEST_F(LazyRunFileTest, TheFirstSignalMakesTheFile) {
  file_.on_event({"p", 1, PLUMB_INFO, "kind", "said", ""});
  file_.on_stage({PLUMB_STAGE_STEADY, "steady", 1, 2});
  ASSERT_TRUE(
      file_.finish(store::RunState::kFinished, {{PLUMB_STAGE_STEADY, "steady", 1, 3}}).is_ok());
  const auto run = store::read_run(path_);
  ASSERT_TRUE(run.is_ok());
  EXPECT_EQ(run->state, store::RunState::kFinished);
  ASSERT_EQ(run->stages.size(), 1u);
  EXPECT_EQ(run->stages[0].end_ns, 3);
  EXPECT_EQ(run->events.size(), 1u);
}

TEST_F(LazyRunFileTest, ADiscardedRunLeavesNothing) {
  file_.on_health({"p", 1, PLUMB_HEALTH_OK, ""});
  EXPECT_GE(files(), 1u);
  file_.discard();
  EXPECT_EQ(files(), 0u);
}

TEST_F(LazyRunFileTest, AFileThatCannotBeMadeIsToldAtTheEnd) {
  directory_.write("run.plumb", "not a run");
  file_.on_samples({{1, 1, 1}});
  EXPECT_FALSE(file_.finish(store::RunState::kFinished, {}).is_ok());
}

}  // namespace
}  // namespace plumb::session
