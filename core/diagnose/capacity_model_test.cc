#include "core/diagnose/capacity_model.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

CapacityModel model_of(RunBuilder& run) {
  facts::FactSet facts = facts::compute(run.data());
  return model_capacity(run.data(), facts);
}

TEST(CapacityModel, OfOneLevelOfLoadHasNoLawAndSaysWhy) {
  RunBuilder run;
  run.requests(0.02, 100).gauge("host_cpu_busy_ratio", 0.25, {}, "ratio");
  const CapacityModel model = model_of(run);
  EXPECT_FALSE(model.law);
  EXPECT_NE(model.refused.find("hardly varied"), std::string::npos) << model.refused;
  ASSERT_EQ(model.resources.size(), 1u);
  EXPECT_EQ(model.resources[0].resource, "the processors");
  EXPECT_TRUE(model.resources[0].extrapolated);
  EXPECT_NEAR(model.resources[0].full_at, 400, 1);
}

TEST(CapacityModel, SaysWhichResourceFillsUpFirst) {
  RunBuilder run;
  run.requests(0.02, 100).gauge("host_cpu_busy_ratio", 0.25, {}, "ratio");
  run.gauge("host_disk_busy_ratio", 0.8, {{"device", "vda"}}, "ratio");
  const CapacityModel model = model_of(run);
  ASSERT_EQ(model.resources.size(), 2u);
  EXPECT_EQ(model.resources[0].resource, "disk vda");
  EXPECT_NEAR(model.resources[0].full_at, 125, 1);
}

TEST(CapacityModel, LeavesOutWhatTheLoadHardlyTouches) {
  RunBuilder run;
  run.requests(0.02, 100).gauge("host_cpu_busy_ratio", 0.01, {}, "ratio");
  EXPECT_TRUE(model_of(run).resources.empty());
}

TEST(CapacityModel, ProcessorsThatOthersKeepBusyAreNoLimitOfTheService) {
  RunBuilder run;
  run.requests(0.02, 100).gauge("host_cpu_busy_ratio", 1.0, {}, "ratio");
  run.gauge("host_cpus", 2).counter("others_cpu_seconds_total", 1.9);
  EXPECT_TRUE(model_of(run).resources.empty());
}

TEST(CapacityModel, IsFittedToARamp) {
  RunBuilder run;
  run.stages({{PLUMB_STAGE_RAMP, "ramp", 0, 12 * RunBuilder::kSecond}});
  std::vector<uint64_t> rates;
  std::vector<double> in_flight;
  std::vector<double> busy;
  for (int n = 1; n <= 12; ++n) {
    const double rate = 100.0 * n / (1 + 0.1 * (n - 1));
    rates.push_back(static_cast<uint64_t>(rate));
    in_flight.push_back(n);
    busy.push_back(0.1 + rate / 1000);
  }
  run.load_over_time(rates, in_flight).gauge_over_time("host_cpu_busy_ratio", busy, "ratio");
  const CapacityModel model = model_of(run);
  ASSERT_TRUE(model.law) << model.refused;
  EXPECT_NEAR(model.law->peak_rate.value, 1000, 60);
  ASSERT_EQ(model.resources.size(), 1u);
  EXPECT_FALSE(model.resources[0].extrapolated);
  EXPECT_NEAR(model.resources[0].full_at, 900, 40);
}

}  // namespace
}  // namespace plumb::diagnose
