#include "core/serve/session_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace plumb::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kBound = std::chrono::seconds(20);

// A session that goes on until it is told to end, or stopped.
struct FakeSession {
  std::promise<void> begun;
  std::promise<Result<session::RunSummary>> result;
  std::shared_future<Result<session::RunSummary>> outcome = result.get_future().share();

  SessionRuns::Runner runner() {
    return [this](const plan::Plan&, const session::SessionOptions& options, std::stop_token stop) {
      options.observer->on_stage({PLUMB_STAGE_STEADY, "steady", 0, 10'000'000'000});
      options.sinks.at(1)->on_health({"pg_stats", 1, PLUMB_HEALTH_DARK, "gone"});
      begun.set_value();
      while (outcome.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
        if (stop.stop_requested()) return interrupted(options);
      }
      return outcome.get();
    };
  }
  static Result<session::RunSummary> interrupted(const session::SessionOptions& options) {
    session::RunSummary summary;
    summary.id = options.run_id;
    summary.end = engine::RunEnd::kInterrupted;
    summary.exit_code = session::ExitCode::kNotValid;
    return summary;
  }
};

// What the log has told once it has ended.
std::string whole_text(const EventLog& log) {
  const auto until = std::chrono::steady_clock::now() + kBound;
  while (!log.after(0, ~size_t{0}).ended && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  return log.after(0, ~size_t{0}).text;
}

TEST(SessionRuns, TellsARunFromItsStageToItsEnd) {
  FakeSession fake;
  SessionRuns runs(fake.runner());
  const auto id = runs.start(plan::Plan());
  ASSERT_TRUE(id.is_ok());
  fake.begun.get_future().wait();
  ASSERT_TRUE(runs.live());
  EXPECT_EQ(runs.live()->id, *id);
  EXPECT_EQ(runs.live()->numbers["stage"], "steady");
  const auto log = runs.events(*id);

  session::RunSummary summary;
  summary.end = engine::RunEnd::kFinished;
  summary.exit_code = session::ExitCode::kSloBreached;
  summary.report = {{"verdict", {{"label", "Threat"}}}};
  summary.comparison = {{"verdict", {{"risk", "Warning"}}}, {"figures", nlohmann::json::array()}};
  fake.result.set_value(summary);

  const std::string text = whole_text(*log);
  EXPECT_THAT(text, HasSubstr("event: stage\ndata: {\"kind\":\"steady\",\"name\":\"steady\","
                              "\"planned_s\":10.0}"));
  EXPECT_THAT(text, HasSubstr("event: health\ndata: {\"health\":\"dark\",\"message\":\"gone\","
                              "\"plugin\":\"pg_stats\"}"));
  EXPECT_THAT(text, HasSubstr("event: done\n"));
  EXPECT_THAT(text, HasSubstr("\"exit_code\":3"));
  EXPECT_THAT(text, HasSubstr("\"label\":\"Threat\""));
  EXPECT_THAT(text, HasSubstr("\"comparison\":{\"risk\":\"Warning\"}"));
  EXPECT_FALSE(runs.live());
  EXPECT_EQ(runs.ended(*id)->state, store::RunState::kFinished);
  EXPECT_EQ(runs.totals()[store::RunState::kFinished], 1u);
}

TEST(SessionRuns, TellsProgressAtItsInterval) {
  FakeSession fake;
  SessionRuns runs(fake.runner(), {}, std::chrono::milliseconds(1));
  const auto id = runs.start(plan::Plan());
  const auto log = runs.events(*id);
  const auto until = std::chrono::steady_clock::now() + kBound;
  while (log->after(0).text.find("event: progress") == std::string::npos &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_THAT(log->after(0).text, HasSubstr("event: progress\ndata: {"));
}

TEST(SessionRuns, TakesOneRunAtATime) {
  FakeSession fake;
  SessionRuns runs(fake.runner());
  const auto first = runs.start(plan::Plan());
  EXPECT_EQ(runs.start(plan::Plan()).status().code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_EQ(runs.stop("20200101T000000Z-0000").code(), PLUMB_NOT_FOUND);
  EXPECT_TRUE(runs.stop(*first).is_ok());
  whole_text(*runs.events(*first));
  EXPECT_EQ(runs.ended(*first)->state, store::RunState::kInterrupted);
  EXPECT_EQ(runs.stop(*first).code(), PLUMB_NOT_FOUND);
}

TEST(SessionRuns, StartsAnotherRunAfterOneHasEnded) {
  std::atomic<int> count = 0;
  SessionRuns runs([&](const plan::Plan&, const session::SessionOptions&, std::stop_token) {
    ++count;
    return Result<session::RunSummary>(Status::unavailable("the target does not answer"));
  });
  for (int i = 0; i < 12; ++i) {
    const auto id = runs.start(plan::Plan());
    ASSERT_TRUE(id.is_ok()) << id.status().message();
    const auto log = runs.events(*id);
    ASSERT_TRUE(log);
    EXPECT_THAT(whole_text(*log), HasSubstr("the target does not answer"));
    EXPECT_EQ(runs.ended(*id)->state, store::RunState::kFailed);
  }
  EXPECT_EQ(count, 12);
  EXPECT_EQ(runs.totals()[store::RunState::kFailed], 12u);
}

TEST(SessionRuns, ShutsDownByEndingTheRun) {
  FakeSession fake;
  SessionRuns runs(fake.runner());
  const auto id = runs.start(plan::Plan());
  EXPECT_TRUE(runs.shut_down(std::chrono::steady_clock::now() + kBound));
  EXPECT_EQ(runs.ended(*id)->state, store::RunState::kInterrupted);
  EXPECT_EQ(runs.start(plan::Plan()).status().code(), PLUMB_UNAVAILABLE);
}

TEST(SessionRuns, HasToldTheEndOfARunWhenItHasShutDown) {
  for (int i = 0; i < 50; ++i) {
    FakeSession fake;
    SessionRuns runs(fake.runner());
    const auto id = runs.start(plan::Plan());
    ASSERT_TRUE(id.is_ok());
    const auto log = runs.events(*id);
    ASSERT_TRUE(runs.shut_down(std::chrono::steady_clock::now() + kBound));
    const EventLog::Batch told = log->after(0, ~size_t{0});
    EXPECT_TRUE(told.ended);
    EXPECT_THAT(told.text, HasSubstr("event: done"));
  }
}

TEST(SessionRuns, GivesUpOnARunThatDoesNotEnd) {
  std::promise<void> release;
  auto released = release.get_future();
  SessionRuns runs([&](const plan::Plan&, const session::SessionOptions&, std::stop_token) {
    released.wait();
    return Result<session::RunSummary>(session::RunSummary());
  });
  ASSERT_TRUE(runs.start(plan::Plan()).is_ok());
  EXPECT_FALSE(runs.shut_down(std::chrono::steady_clock::now()));
  release.set_value();
}

}  // namespace
}  // namespace plumb::serve
