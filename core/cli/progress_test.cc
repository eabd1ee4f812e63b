#include "core/cli/progress.h"

#include <gtest/gtest.h>

namespace plumb::cli {
namespace {

session::LiveSnapshot snapshot() {
  session::LiveSnapshot now;
  now.stage = StageSpan{PLUMB_STAGE_STEADY, "steady", 0, 30'000'000'000};
  now.stage_s = 30;
  now.stage_elapsed_s = 12;
  now.last = session::LivePoint{.requests = 201, .rate = 201, .p50_s = 0.079, .p95_s = 0.083};
  now.in_flight = 16;
  now.top = session::LiveLayer{"database", 8.1, 79.3};
  return now;
}

TEST(ProgressLine, TellsOfStageRateLatencyErrorsAndTopLayer) {
  EXPECT_EQ(progress_line(snapshot(), 200),
            "steady 12/30 s ━━━━──────  201/s  p50 79.0 ms  p95 83.0 ms  errors 0"
            "  database 8.1 of 79.3 ms  in flight 16");
}

TEST(ProgressLine, FitsTheTerminal) {
  for (size_t width = 0; width < 120; ++width)
    EXPECT_LE(columns_of(progress_line(snapshot(), width)), width);
}

TEST(ProgressLine, SaysWhatTheEngineDoesBeforeTheFirstStage) {
  session::LiveSnapshot now;
  EXPECT_EQ(progress_line(now, 80), "starting");
  now.phase = "waiting for the target";
  EXPECT_EQ(progress_line(now, 80), "waiting for the target");
}

TEST(ProgressLine, APercentileThatIsUnknownIsNotZero) {
  session::LiveSnapshot now = snapshot();
  now.last = session::LivePoint{};
  EXPECT_NE(progress_line(now, 200).find("p50 –"), std::string::npos);
}

TEST(ProgressLine, NamesPluginsThatAreDark) {
  session::LiveSnapshot now = snapshot();
  now.unwell.push_back({"pg_stats", 1, PLUMB_HEALTH_DARK, "gone"});
  EXPECT_NE(progress_line(now, 200).find("pg_stats dark"), std::string::npos);
}

}  // namespace
}  // namespace plumb::cli
