#include "core/facts/changes.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::facts {
namespace {

using testing::RunBuilder;
const Labels kP50 = {{"measure", "latency.p50"}};
const Labels kRate = {{"measure", "requests.rate"}};
const Labels kMemory = {{"measure", "target_resident_bytes"}};

FactSet changes_of(RunBuilder& run) {
  FactSet facts;
  add_changes(run.data(), facts);
  return facts;
}

std::vector<double> levels(double before, size_t seconds, double after) {
  std::vector<double> out(seconds, before);
  out.push_back(after);
  return out;
}

TEST(Changes, AStepOfTheLatencyHasItsTimeAndItsLevels) {
  RunBuilder run(120);
  run.requests_over_time(levels(0.02, 72, 0.08), 50);
  const FactSet facts = changes_of(run);
  EXPECT_EQ(facts.value("change.at", kP50), 72);
  EXPECT_NEAR(facts.value("change.before", kP50).value(), 0.02, 1e-4);
  EXPECT_NEAR(facts.value("change.after", kP50).value(), 0.08, 4e-4);
  EXPECT_NEAR(facts.value("change.first", kP50).value(), 0.02, 1e-4);
  EXPECT_NEAR(facts.value("change.last", kP50).value(), 0.08, 4e-4);
  EXPECT_TRUE(facts.value("change.at", {{"measure", "latency.p95"}}).has_value());
  EXPECT_FALSE(facts.value("change.at", kRate).has_value());
  EXPECT_EQ(facts.value("change.first", kRate), 50);
  EXPECT_EQ(facts.list().front().start_ns, 2 * RunBuilder::kSecond);
}

TEST(Changes, SeveralStepsAreNumbered) {
  RunBuilder run(120);
  std::vector<double> seconds(52, 0.02);
  seconds.resize(82, 0.08);
  seconds.push_back(0.02);
  run.requests_over_time(seconds, 50);
  const FactSet facts = changes_of(run);
  EXPECT_EQ(facts.value("change.at", {{"change", "1"}, {"measure", "latency.p50"}}), 52);
  EXPECT_EQ(facts.value("change.at", {{"change", "2"}, {"measure", "latency.p50"}}), 82);
  EXPECT_FALSE(facts.value("change.at", kP50).has_value());
}

TEST(Changes, MemoryThatGrowsBitByBitHasNoStep) {
  RunBuilder run(60);
  run.rising_gauge("target_resident_bytes", 100e6, 300e6, {}, "bytes");
  const FactSet facts = changes_of(run);
  EXPECT_FALSE(facts.value("change.at", kMemory).has_value());
  EXPECT_LT(facts.value("change.first", kMemory).value(), 120e6);
  EXPECT_GT(facts.value("change.last", kMemory).value(), 280e6);
}

TEST(Changes, AreNotLookedForInAShortRun) {
  RunBuilder run(29);
  run.requests_over_time(levels(0.02, 15, 0.08), 50);
  EXPECT_EQ(changes_of(run).size(), 0u);
}

TEST(Changes, OfAHandfulOfRequestsAreNotLookedFor) {
  RunBuilder run(60);
  run.requests_over_time(levels(0.02, 30, 0.08), 2);
  EXPECT_FALSE(changes_of(run).value("change.first", kP50).has_value())
      << "120 requests make six parts of twenty";
}

TEST(Changes, AreOnlySoughtWhereTheLoadStayed) {
  RunBuilder run(120);
  run.requests_over_time(levels(0.02, 62, 0.08), 50);
  std::vector<double> rates(62, 50);
  rates.resize(122, 70);
  run.gauge_over_time("load_target_rate", rates, "requests/s");
  EXPECT_FALSE(even_stretch(run.data()).has_value());
  EXPECT_EQ(changes_of(run).size(), 0u);
}

TEST(EvenStretch, JoinsSteadyStagesOfOneLoadAndTakesTheLongest) {
  RunBuilder run(120);
  run.stages({{PLUMB_STAGE_STEADY, "a", 0, 40 * RunBuilder::kSecond},
              {PLUMB_STAGE_SPIKE, "sale", 40 * RunBuilder::kSecond, 45 * RunBuilder::kSecond},
              {PLUMB_STAGE_STEADY, "b", 45 * RunBuilder::kSecond, 70 * RunBuilder::kSecond},
              {PLUMB_STAGE_STEADY, "c", 70 * RunBuilder::kSecond, 100 * RunBuilder::kSecond},
              {PLUMB_STAGE_RAMP, "d", 100 * RunBuilder::kSecond, 122 * RunBuilder::kSecond}});
  const auto stretch = even_stretch(run.data());
  ASSERT_TRUE(stretch.has_value());
  EXPECT_EQ(stretch->start_ns, 45 * RunBuilder::kSecond);
  EXPECT_EQ(stretch->end_ns, 100 * RunBuilder::kSecond);
}

TEST(EvenStretch, OfSeveralLoadsIsTheLongestStage) {
  RunBuilder run(120);
  std::vector<double> rates(40, 100);
  rates.resize(122, 200);
  run.gauge_over_time("load_target_rate", rates, "requests/s");
  run.stages({{PLUMB_STAGE_STEADY, "a", 0, 40 * RunBuilder::kSecond},
              {PLUMB_STAGE_STEADY, "b", 40 * RunBuilder::kSecond, 90 * RunBuilder::kSecond}});
  EXPECT_EQ(even_stretch(run.data())->start_ns, 40 * RunBuilder::kSecond);
}

TEST(ChangeMeasures, AreFoundByTheirName) {
  ASSERT_NE(find_change_measure("latency.p95"), nullptr);
  EXPECT_EQ(find_change_measure("latency.p95")->unit, "seconds");
  EXPECT_EQ(find_change_measure("latency"), nullptr);
}

}  // namespace
}  // namespace plumb::facts
