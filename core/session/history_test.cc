#include "core/session/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/session/session.h"
#include "core/session/temporary_directory_for_tests.h"
#include "core/store/run_file.h"

namespace plumb::session {
namespace {

using ::testing::ElementsAre;

class HistoryTest : public ::testing::Test {
 protected:
  void keep(const std::string& id, const std::string& plan, int64_t started,
            const nlohmann::json& summary, store::RunState state = store::RunState::kFinished) {
    const auto file = directory_.path() / (id + ".plumb");
    store::RunHeader header;
    header.id = id;
    header.name = plan;
    header.started_unix_ms = started;
    auto writer = store::RunWriter::create(file, header);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    if (!summary.is_null()) (*writer)->set_document(kSummaryDocument, summary);
    ASSERT_TRUE((*writer)->finish(state).is_ok());
  }

  TemporaryDirectory directory_;
};

const nlohmann::json kSummary = {
    {"verdict", "Threat"}, {"validity", "valid"}, {"cause", "db-commit-wal"},
    {"p50_s", 0.02},       {"p95_s", 0.05},       {"p99_s", 0.09},
    {"rate", 200.0},       {"error_rate", 0.0}};

TEST_F(HistoryTest, HoldsTheRunsOfOnePlanInTheOrderOfTheirStart) {
  keep("b", "shop", 2000, kSummary);
  keep("a", "shop", 3000, kSummary);
  keep("c", "other", 1000, kSummary);
  const auto runs = history(directory_.path(), "shop");
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].id, "b");
  EXPECT_TRUE(runs[0].valid);
  EXPECT_EQ(runs[0].cause, "db-commit-wal");
  EXPECT_EQ(runs[0].p99_s, 0.09);
  EXPECT_EQ(runs[1].id, "a");
}

TEST_F(HistoryTest, TheSummaryOfAReportIsWhatTheHistoryTells) {
  const nlohmann::json report = {
      {"run", {{"state", "finished"}}},
      {"validity", {{"status", "valid"}}},
      {"verdict", {{"label", "Warning"}, {"bottleneck", {{"cause", "app-cpu-saturated"}}}}},
      {"facts",
       {{{"name", "latency.p50"}, {"value", 0.01}, {"labels", {{"endpoint", "a"}}}},
        {{"name", "latency.p50"}, {"value", 0.02}},
        {{"name", "requests.rate"}, {"value", 150.0}}}}};
  keep("a", "shop", 1000, summary_of(report));
  const auto runs = history(directory_.path(), "shop");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_TRUE(runs[0].valid);
  EXPECT_EQ(runs[0].verdict, "Warning");
  EXPECT_EQ(runs[0].cause, "app-cpu-saturated");
  EXPECT_EQ(runs[0].p50_s, 0.02);
  EXPECT_EQ(runs[0].rate, 150);
  EXPECT_FALSE(runs[0].p99_s.has_value());
}

TEST_F(HistoryTest, ARunWithoutASummaryIsJudgedFromItsSignals) {
  keep("a", "shop", 1000, nullptr);
  const auto runs = history(directory_.path(), "shop");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_FALSE(runs[0].valid);
  EXPECT_FALSE(runs[0].p95_s.has_value());
}

TEST_F(HistoryTest, AnInterruptedRunIsNotValidAndAnUnreadableFileIsLeftOut) {
  keep("a", "shop", 1000, kSummary, store::RunState::kInterrupted);
  directory_.write("x.plumb", "no run");
  const auto runs = history(directory_.path(), "shop");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_FALSE(runs[0].valid);
}

TEST_F(HistoryTest, ThePlanOfTheNewestRunComesFirst) {
  keep("20260101T000000Z-0001", "shop", 1000, kSummary);
  keep("20260102T000000Z-0002", "other", 2000, kSummary);
  keep("20260103T000000Z-0003", "shop", 3000, kSummary);
  EXPECT_THAT(plans_in(directory_.path()), ElementsAre("shop", "other"));
  EXPECT_TRUE(plans_in(directory_.path() / "none").empty());
}

}  // namespace
}  // namespace plumb::session
