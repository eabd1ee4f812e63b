#include "core/compare/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace plumb::compare {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RunMeasures on(const Machine& machine) {
  RunMeasures out;
  out.machine = machine;
  return out;
}

const Machine kQuiet = {.stolen = 0.001,
                        .generator_s = 100e-6,
                        .received_bytes = 1000,
                        .connections_opened = 0,
                        .rate = 200};

TEST(MachineDifference, OfTheSameMachineIsNone) {
  const MachineDifference same({on(kQuiet)}, on(kQuiet));
  EXPECT_EQ(same.pace(), 0);
  EXPECT_THAT(same.told(), IsEmpty());
  EXPECT_FALSE(same.theft_may_explain("p999", true, false));
}

TEST(MachineDifference, WhatTheGeneratorTookMoreOfAProcessorIsThePace) {
  Machine slow = kQuiet;
  slow.generator_s = 150e-6;
  const MachineDifference slower({on(kQuiet)}, on(slow));
  EXPECT_NEAR(slower.pace(), std::log(1.5) - 0.05, 1e-9);
  ASSERT_THAT(slower.told(), SizeIs(1));
  EXPECT_EQ(slower.told()[0].run, "150 us of a processor");
  EXPECT_NEAR(MachineDifference({on(slow)}, on(kQuiet)).pace(), 0.05 - std::log(1.5), 1e-9);
  slow.rate = 100;
  EXPECT_THAT(MachineDifference({on(kQuiet)}, on(slow)).told(), IsEmpty()) << "it may be the rate";
  slow.generator_s = 104e-6;
  EXPECT_EQ(MachineDifference({on(kQuiet)}, on(slow)).pace(), 0) << "it differs so much anyway";
}

TEST(MachineDifference, AGeneratorThatDidOtherWorkIsNoYardstick) {
  Machine other = kQuiet;
  other.generator_s = 300e-6;
  other.received_bytes = 2000;
  EXPECT_EQ(MachineDifference({on(kQuiet)}, on(other)).pace(), 0);
  other.received_bytes = 1000;
  other.connections_opened = 1;
  EXPECT_EQ(MachineDifference({on(kQuiet)}, on(other)).pace(), 0);
  other.connections_opened = 0;
  other.generator_s = 0;
  EXPECT_EQ(MachineDifference({on(kQuiet)}, on(other)).pace(), 0) << "an imported run";
}

TEST(MachineDifference, TheftExplainsTheQuantilesThatItReaches) {
  Machine stolen = kQuiet;
  stolen.stolen = 0.031;
  const MachineDifference thieved({on(kQuiet), on(kQuiet)}, on(stolen));
  for (const char* metric : {"p95", "p99", "p999"})
    EXPECT_TRUE(thieved.theft_may_explain(metric, true, true)) << metric;
  for (const char* metric : {"p50", "p90", "throughput", "error_rate"})
    EXPECT_FALSE(thieved.theft_may_explain(metric, true, true)) << metric;
  EXPECT_TRUE(thieved.theft_may_explain("mean", true, false));
  EXPECT_FALSE(thieved.theft_may_explain("mean", true, true)) << "all requests got slower";
  EXPECT_FALSE(thieved.theft_may_explain("p99", false, false)) << "faster in spite of it";
  EXPECT_THAT(thieved.theft_text(), HasSubstr("kept 3.1% of the processors in the run and 0.10%"));
  ASSERT_THAT(thieved.told(), SizeIs(1));
  EXPECT_TRUE(MachineDifference({on(stolen)}, on(kQuiet)).theft_may_explain("p99", false, false));
}

}  // namespace
}  // namespace plumb::compare
