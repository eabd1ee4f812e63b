#include "core/facts/facts.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/facts/run_builder.h"

namespace plumb::facts {
namespace {

using testing::RunBuilder;

TEST(FactSet, GivesIdsInOrderAndKeepsANameOnce) {
  FactSet facts;
  EXPECT_EQ(
      facts.add({.id = {}, .name = "a", .value = 1, .unit = "1", .labels = {}, .source = "t"})->id,
      "F1");
  EXPECT_EQ(
      facts.add({.id = {}, .name = "b", .value = 2, .unit = "1", .labels = {}, .source = "t"})->id,
      "F2");
  EXPECT_EQ(
      facts.add({.id = {}, .name = "a", .value = 9, .unit = "1", .labels = {}, .source = "t"})->id,
      "F1");
  EXPECT_DOUBLE_EQ(*facts.value("a"), 1);
  EXPECT_EQ(facts.by_id("F2")->name, "b");
  for (const char* id : {"F3", "F0", "", "F", "X1", "F99999999999999999999"})
    EXPECT_EQ(facts.by_id(id), nullptr) << id;
}

TEST(FactSet, NeverHoldsANumberThatIsNone) {
  FactSet facts;
  EXPECT_EQ(facts.add({.id = {},
                       .name = "a",
                       .value = std::numeric_limits<double>::quiet_NaN(),
                       .unit = "1",
                       .labels = {},
                       .source = "t"}),
            nullptr);
  EXPECT_EQ(facts.find("a"), nullptr);
}

TEST(Facts, DescribeRequestsOfTheSteadyStage) {
  RunBuilder run;
  run.requests(0.05, 100, "orders").requests(0.01, 100, "checkout");
  const FactSet facts = compute(run.data());
  EXPECT_DOUBLE_EQ(*facts.value("window.seconds"), 10);
  EXPECT_DOUBLE_EQ(*facts.value("requests.count"), 2000);
  EXPECT_DOUBLE_EQ(*facts.value("requests.rate"), 200);
  EXPECT_DOUBLE_EQ(*facts.value("requests.error_rate"), 0);
  EXPECT_NEAR(*facts.value("latency.mean"), 0.03, 1e-9);
  EXPECT_NEAR(*facts.value("latency.p95"), 0.05, 0.05 * 0.002);
  EXPECT_NEAR(*facts.value("latency.p50", {{"endpoint", "checkout"}}), 0.01, 0.01 * 0.002);
  EXPECT_NEAR(*facts.value("phase.wait"), 0.03, 1e-9);
}

TEST(Facts, CountFailuresApartFromLatency) {
  RunBuilder run;
  run.requests(0.05, 90);
  run.histogram("http_response_seconds", 3, 10, {{"endpoint", "orders"}, {"outcome", "failed"}});
  const FactSet facts = compute(run.data());
  EXPECT_NEAR(*facts.value("requests.error_rate"), 0.1, 1e-12);
  EXPECT_NEAR(*facts.value("latency.mean"), 0.05, 1e-9) << "a failure is no response time";
}

TEST(Facts, ShareCountersOutOverRequests) {
  RunBuilder run;
  run.requests(0.05, 100).counter("target_cpu_seconds_total", 0.5);
  const FactSet facts = compute(run.data());
  EXPECT_DOUBLE_EQ(*facts.value("target_cpu_seconds_total.rate"), 0.5);
  EXPECT_DOUBLE_EQ(*facts.value("target_cpu_seconds_total.delta"), 5);
  EXPECT_DOUBLE_EQ(*facts.value("target_cpu_seconds_total.per_request"), 0.005);
}

TEST(Facts, OfARunWithoutASteadyStageAreNone) {
  RunBuilder run;
  run.requests(0.05, 100);
  run.data().stages.pop_back();
  EXPECT_EQ(compute(run.data()).size(), 0u);
}

TEST(Facts, OfAKilledRunEndWhereItWasCutOff) {
  RunBuilder run;
  run.requests(0.05, 100);
  run.data().state = store::RunState::kRunning;
  run.data().ended_ns = 7 * RunBuilder::kSecond;
  const FactSet facts = compute(run.data());
  EXPECT_DOUBLE_EQ(*facts.value("window.seconds"), 5);
  EXPECT_DOUBLE_EQ(*facts.value("requests.count"), 500);
}

TEST(Facts, ThatAToolHadComputedStandWhereNothingElseDoes) {
  RunBuilder run;
  run.requests(0.05, 100);
  run.data().documents["told_facts"] = nlohmann::json::parse(R"([
      {"name": "latency.p75", "value": 0.06, "unit": "seconds", "labels": {}, "source": "wrk"},
      {"name": "requests.count", "value": 7, "unit": "requests", "labels": {}, "source": "wrk"},
      {"name": "latency.p95", "value": 0.07, "unit": "seconds", "labels": {"endpoint": "other"}},
      {"name": "broken", "value": "x"}, 5])");
  const FactSet facts = compute(run.data());
  ASSERT_NE(facts.find("latency.p75"), nullptr);
  EXPECT_EQ(facts.find("latency.p75")->source, "wrk");
  EXPECT_EQ(facts.value("requests.count"), 1000);
  EXPECT_EQ(facts.value("latency.p95", {{"endpoint", "other"}}), 0.07);
  EXPECT_EQ(facts.find("broken"), nullptr);
}

TEST(Facts, CountRequestsOfALoadWhoseScheduleIsNotKnown) {
  RunBuilder run;
  run.histogram("http_response_seconds", 0.05, 100, {{"endpoint", "orders"}, {"outcome", "ok"}});
  const FactSet facts = compute(run.data());
  EXPECT_EQ(facts.value("requests.count"), 1000);
  EXPECT_EQ(facts.find("requests.count")->source, "test");
}

TEST(Facts, AreTheSameEachTime) {
  RunBuilder run;
  run.requests(0.0371, 83).counter("target_cpu_seconds_total", 0.123456789).gauge("g", 1.0 / 3);
  const FactSet first = compute(run.data());
  const FactSet second = compute(run.data());
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first.list()[i].name, second.list()[i].name);
    EXPECT_EQ(first.list()[i].value, second.list()[i].value);
  }
}

}  // namespace
}  // namespace plumb::facts
