#include "core/diagnose/slo.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

std::vector<SloResult> results_of(RunBuilder& run, nlohmann::json slos) {
  run.data().header.plan["slos"] = std::move(slos);
  return check_slos(run.data(), facts::compute(run.data()));
}

TEST(Slo, TellsItsMargin) {
  RunBuilder run;
  run.requests(0.04, 100);
  const auto results = results_of(
      run, {{{"endpoint", ""}, {"metric", "mean"}, {"limit", 0.05}, {"written", "50ms"}},
            {{"endpoint", ""}, {"metric", "rate"}, {"limit", 200}, {"written", "200/s"}}});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].met);
  EXPECT_NEAR(results[0].margin.value(), 0.2, 0.01);
  EXPECT_NE(results[0].sentence.find("20% to spare"), std::string::npos) << results[0].sentence;
  EXPECT_FALSE(results[1].met);
  EXPECT_TRUE(results[1].at_least);
  EXPECT_NEAR(results[1].margin.value(), -0.5, 0.01);
}

TEST(Slo, OfAFactThatNoRunHasOrOfAnotherUnitIsAProblemBeforeTheRun) {
  SignalList signals(2);
  signals[0].name = "pool_wait_seconds_total";
  signals[0].kind = PLUMB_KIND_COUNTER;
  signals[0].unit = "seconds";
  signals[1].name = "scraped_";
  signals[1].is_family = true;
  const FactCatalog catalog(signals);
  const auto problem = [&](const char* fact, const char* unit) {
    return objective_problem(fact, unit, "3ms", catalog);
  };
  EXPECT_EQ(problem("latency.p95", "seconds"), "");
  EXPECT_EQ(problem("pool_wait_seconds_total.per_request", "seconds"), "");
  EXPECT_EQ(problem("scraped_queue.mean", "bytes"), "");
  EXPECT_EQ(problem("change.last", "bytes"), "") << "its unit is that of what is measured";
  EXPECT_NE(problem("latency.p955", "seconds").find("Did you mean 'latency.p95'?"),
            std::string::npos)
      << problem("latency.p955", "seconds");
  EXPECT_NE(problem("latency.p95", "bytes").find("is in seconds, by 3ms, which is in bytes"),
            std::string::npos);
}

TEST(Slo, HoldsAnyFactToALimitInItsOwnUnit) {
  RunBuilder run;
  run.requests(0.04, 100).gauge("target_memory_bytes", 5e6, {{"process", "shop"}}, "bytes");
  const nlohmann::json memory = {{"endpoint", ""},  {"metric", "target_memory_bytes.max"},
                                 {"limit", 4e6},    {"written", "4MB"},
                                 {"unit", "bytes"}, {"labels", {{"process", "shop"}}}};
  nlohmann::json in_seconds = memory;
  in_seconds["unit"] = "seconds";
  nlohmann::json absent = memory;
  absent["labels"] = nlohmann::json::object();
  const auto results = results_of(run, {memory, in_seconds, absent});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_FALSE(results[0].met);
  EXPECT_NEAR(results[0].margin.value(), -0.25, 1e-9);
  EXPECT_FALSE(results[1].actual);
  EXPECT_NE(results[1].sentence.find("it is in bytes"), std::string::npos);
  EXPECT_FALSE(results[2].met);
  EXPECT_NE(results[2].sentence.find("no such fact"), std::string::npos);
}

}  // namespace
}  // namespace plumb::diagnose
