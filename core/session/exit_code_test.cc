#include "core/session/exit_code.h"

#include <gtest/gtest.h>

namespace plumb::session {
namespace {

nlohmann::json report(const char* state, const char* validity, nlohmann::json slos) {
  return {
      {"run", {{"state", state}}}, {"validity", {{"status", validity}}}, {"slos", std::move(slos)}};
}
const nlohmann::json kMet = {{{"met", true}}};
const nlohmann::json kBreached = {{{"met", true}}, {{"met", false}}};

TEST(ExitCode, AValidRunThatKeepsItsPromisesPasses) {
  EXPECT_EQ(exit_code_of(report("finished", "valid", kMet)), ExitCode::kPassed);
  EXPECT_EQ(exit_code_of(report("finished", "valid", nlohmann::json::array())), ExitCode::kPassed);
}

TEST(ExitCode, ABreachedSloIsThree) {
  EXPECT_EQ(exit_code_of(report("finished", "valid", kBreached)), ExitCode::kSloBreached);
  EXPECT_EQ(exit_code_of(report("finished", "valid", {{{"limit", "x"}}})), ExitCode::kSloBreached);
}

TEST(ExitCode, ARunThatCannotBeTrustedIsFiveWhateverItsSlosSay) {
  EXPECT_EQ(exit_code_of(report("finished", "generator_limited", kBreached)), ExitCode::kNotValid);
  EXPECT_EQ(exit_code_of(report("interrupted", "valid", kMet)), ExitCode::kNotValid);
  EXPECT_EQ(exit_code_of(report("running", "valid", kMet)), ExitCode::kNotValid);
  EXPECT_EQ(exit_code_of({}), ExitCode::kNotValid);
}

TEST(ExitCode, ATargetThatFailsMostRequestsBreachesItsSlosAndIsNoFaultOfTheMeasurement) {
  const nlohmann::json aborted = {{{"metric", "abort"}, {"met", false}, {"actual", nullptr}}};
  const nlohmann::json errors = {{{"metric", "error_rate"}, {"met", false}, {"actual", 0.9}}};
  const nlohmann::json slow = {{{"metric", "p95"}, {"met", false}, {"actual", 0.9}}};
  EXPECT_EQ(exit_code_of(report("finished", "insufficient", aborted)), ExitCode::kSloBreached);
  EXPECT_EQ(exit_code_of(report("finished", "insufficient", errors)), ExitCode::kSloBreached);
  EXPECT_EQ(exit_code_of(report("finished", "insufficient", slow)), ExitCode::kNotValid);
  EXPECT_EQ(exit_code_of(report("finished", "generator_limited", errors)), ExitCode::kNotValid);
}

TEST(ExitCode, ARunThatFailedIsOne) {
  EXPECT_EQ(exit_code_of(report("failed", "valid", kMet)), ExitCode::kFailed);
}

TEST(ExitCode, ARegressionIsFourAndAComparisonThatSaysNothingIsFive) {
  const auto compared = [](nlohmann::json regressed, nlohmann::json insufficient) {
    return exit_code_of_comparison(
        {{"verdict", {{"regressed", regressed}, {"insufficient", insufficient}}}});
  };
  EXPECT_EQ(compared(true, nullptr), ExitCode::kRegressed);
  EXPECT_EQ(compared(false, nullptr), ExitCode::kPassed);
  EXPECT_EQ(compared(false, "run a is not valid"), ExitCode::kNotValid);
  EXPECT_EQ(exit_code_of_comparison({}), ExitCode::kNotValid);
}

}  // namespace
}  // namespace plumb::session
