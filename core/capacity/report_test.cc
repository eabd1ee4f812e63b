#include "core/capacity/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::capacity {
namespace {

using session::ExitCode;
using ::testing::HasSubstr;
using ::testing::Not;

Probe probe_of(double rate, ProbeVerdict verdict) {
  Probe out;
  out.rate = out.offered = out.completed = out.answered = rate;
  out.measure_s = 2;
  out.verdict = verdict;
  out.p50_s = 0.010;
  out.p95_s = 0.020;
  out.p99_s = 0.030;
  return out;
}

Report found_report() {
  Report out;
  out.id = "20261120T104512Z-7f3a";
  out.name = "shop";
  out.url = "http://127.0.0.1:8080";
  out.promises = {{"orders", "p95", 0.05, "50ms"}, {"", "error_rate", 0.01, "1%"}};
  out.search.outcome = Outcome::kCapacity;
  out.search.baseline = Baseline{0.004, 0.004, 0.005};
  out.search.capacity = Edge{1'234, 1'200, 1'260, 0.01};
  out.search.highest_kept = 1'200;
  out.search.lowest_missed = 1'260;
  out.search.first_to_fail = "p95 of orders";
  out.search.first_sentence = "p95 of orders is 61.2 ms; at most 50ms was promised.";
  out.search.probes = {probe_of(1'260, ProbeVerdict::kMissed),
                       probe_of(1'200, ProbeVerdict::kKept)};
  out.search.probes[0].clause = "p95 of orders";
  out.search.probes[0].p99_s.reset();
  return out;
}

TEST(CapacityReport, SaysTheRateItsIntervalAndWhatFailsFirst) {
  const std::string text = to_console(found_report());
  EXPECT_THAT(text, HasSubstr("CAPACITY  1,234/s   (95% interval 1,200 to 1,260/s)"));
  EXPECT_THAT(text, HasSubstr("First to fail above it: p95 of orders."));
  EXPECT_THAT(text, HasSubstr("p95 of orders <= 50ms · error_rate <= 1% · no growing backlog"));
  EXPECT_THAT(text, HasSubstr("missed: p95 of orders"));
  EXPECT_LT(text.find("  1,200    1,200"), text.find("  1,260    1,260")) << "by rate\n" << text;
}

TEST(CapacityReport, ALimitedGeneratorIsSaidToBeNoCapacity) {
  Report report = found_report();
  report.search.outcome = Outcome::kAtLeast;
  report.search.ended = Ended::kGenerator;
  report.search.capacity.reset();
  const std::string text = to_console(report);
  EXPECT_THAT(text, HasSubstr("AT LEAST  1,200/s"));
  EXPECT_THAT(text, HasSubstr("no capacity of the target"));
  EXPECT_THAT(text, Not(HasSubstr("CAPACITY")));
}

TEST(CapacityReport, TellsWhereItBrokeAndThatItRecovered) {
  Report report = found_report();
  report.stress = StressResult();
  report.stress->peak = 1'240;
  report.stress->peak_at = 1'851;
  report.stress->breaking = Breaking::kErrors;
  report.stress->broke_at = 2'777;
  report.stress->recovery = Recovery{true, 3.2};
  report.stress->recovery_rate = 617;
  const std::string text = to_console(report);
  EXPECT_THAT(text, HasSubstr("Peak: 1,240 answered per second, at 1,851/s."));
  EXPECT_THAT(text, HasSubstr("At 2,777/s more than half of the requests failed."));
  EXPECT_THAT(text, HasSubstr("at 617/s the promises were kept again 3.20 s after"));
}

TEST(CapacityReport, JsonHoldsWhatTheTextSaysAndNullWhereNothingIsKnown) {
  const nlohmann::json json = to_json(found_report());
  EXPECT_EQ(json["outcome"], "capacity");
  EXPECT_EQ(json["capacity"]["rate"], 1'234);
  EXPECT_EQ(json["first_to_fail"]["clause"], "p95 of orders");
  EXPECT_EQ(json["probes"].size(), 2u);
  EXPECT_TRUE(json["probes"][0]["p99_s"].is_null());
  EXPECT_TRUE(json["stress"].is_null());
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_TRUE(to_json(Report())["capacity"].is_null());
}

TEST(CapacityReport, ExitCodesTellTheOutcomesApart) {
  SearchResult result;
  const auto code = [&](Outcome outcome, Ended ended) {
    result.outcome = outcome;
    result.ended = ended;
    return exit_code_of(result);
  };
  EXPECT_EQ(code(Outcome::kCapacity, Ended::kConverged), ExitCode::kPassed);
  EXPECT_EQ(code(Outcome::kCapacity, Ended::kTimeUsed), ExitCode::kPassed);
  EXPECT_EQ(code(Outcome::kCapacity, Ended::kInterrupted), ExitCode::kNotValid);
  EXPECT_EQ(code(Outcome::kNever, Ended::kConverged), ExitCode::kSloBreached);
  EXPECT_EQ(code(Outcome::kAtLeast, Ended::kGenerator), ExitCode::kNotValid);
  EXPECT_EQ(code(Outcome::kUnknown, Ended::kInsufficient), ExitCode::kNotValid);
  EXPECT_EQ(code(Outcome::kAtLeast, Ended::kFailed), ExitCode::kFailed);
}

}  // namespace
}  // namespace plumb::capacity
