#include "core/diagnose/baseline_rows.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

MatrixRow row(const std::string& component, const std::string& expected, const std::string& actual,
              double cost_ms) {
  MatrixRow out;
  out.component = component;
  out.metric = "lock waits";
  out.test = "db-lock-contention";
  out.expected = expected;
  out.actual = actual;
  out.cost_ms = cost_ms;
  return out;
}

std::string expected_beside(const nlohmann::json& kept, MatrixRow now) {
  plumb::testing::RunBuilder run;
  run.data().documents[kBaselineRows] = kept;
  std::vector<MatrixRow> matrix = {std::move(now)};
  expect_baseline(run.data(), matrix);
  return matrix.front().expected;
}

TEST(BaselineRows, TheRunInTheMiddleSpeaksForItsBaseline) {
  const auto kept = baseline_rows({{row("Database", "< 1 ms", "9 ms", 9)},
                                   {row("Database", "< 1 ms", "2 ms", 2)},
                                   {row("Database", "< 1 ms", "3 ms", 3)}});
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(expected_beside(kept, row("Database", "< 1 ms", "8 ms", 8)), "was 3 ms");
}

TEST(BaselineRows, ARowIsKnownAgainThoughAPortInItsNameChanged) {
  const auto kept = baseline_rows({{row("Port 8080", "< 511", "2", 0)}});
  EXPECT_EQ(expected_beside(kept, row("Port 8081", "< 511", "3", 0)), "was 2");
}

TEST(BaselineRows, WhatAnObjectiveLimitsIsExpectedOfItAlone) {
  const auto kept = baseline_rows({{row("Database", "< 1 ms", "2 ms", 2)}});
  MatrixRow limited = row("Database", "<= 5 ms", "3 ms", 3);
  limited.fact = "ledger.database.lock";
  EXPECT_EQ(expected_beside(kept, limited), "<= 5 ms");
}

TEST(BaselineRows, WhatIsNotWhatARunFileKeepsIsPassedOver) {
  MatrixRow unknown = row("Database", "< 1 ms", "unknown", 0);
  unknown.state = RowState::kUnknown;
  EXPECT_TRUE(baseline_rows({{unknown}}).empty());
  for (const char* text : {"{}", "[1]", R"([{"test":1}])", "null"})
    EXPECT_EQ(expected_beside(nlohmann::json::parse(text), row("Database", "< 1 ms", "2 ms", 2)),
              "< 1 ms")
        << text;
}

}  // namespace
}  // namespace plumb::diagnose
