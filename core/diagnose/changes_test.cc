#include "core/diagnose/changes.h"

#include <gtest/gtest.h>

#include "core/diagnose/shipped_rules_for_tests.h"
#include "core/facts/changes.h"
#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;
constexpr int64_t kEnd = 600 * RunBuilder::kSecond;

class ToldChanges : public ::testing::Test {
 protected:
  // A level of the measure at the beginning and at the end.
  void levels(const std::string& measure, const std::string& unit, double first, double last) {
    add("change.first", first, unit, {{"measure", measure}});
    add("change.last", last, unit, {{"measure", measure}});
  }
  void step(const Labels& labels, const std::string& unit, double at, double before, double after) {
    add("change.at", at, "seconds", labels);
    add("change.before", before, unit, labels);
    add("change.after", after, unit, labels);
  }
  // Slices of a minute each, whose locks take `lock_ms` from second `from` on.
  void slices(double own_ms, double lock_ms, int64_t from) {
    ledger_.lines = {{"app.cpu", "app", "CPU", 0, "", {}},
                     {"database.lock", "database", "lock waits", 0, "", {}}};
    for (int64_t t = 0; t < kEnd; t += 60 * RunBuilder::kSecond) {
      const double locks = t >= from * RunBuilder::kSecond ? lock_ms : 0;
      ledger_.slices.push_back({{t, t + 60 * RunBuilder::kSecond},
                                1000,
                                own_ms + locks,
                                {{"app.cpu", own_ms}, {"database.lock", locks}}});
    }
  }
  std::vector<Change> tell() { return tell_changes(run_, facts_, ledger_); }

 private:
  void add(const char* name, double value, const std::string& unit, const Labels& labels) {
    facts_.add({.id = {},
                .name = name,
                .value = value,
                .unit = unit,
                .labels = labels,
                .start_ns = 0,
                .end_ns = kEnd,
                .source = "http_load"});
  }

  store::RunData run_;
  facts::FactSet facts_;
  Ledger ledger_;
};

TEST_F(ToldChanges, AStepIsToldWithTheLineOfTheLedgerThatMoved) {
  levels("latency.p50", "seconds", 0.02, 0.08);
  step({{"measure", "latency.p50"}}, "seconds", 312, 0.02, 0.08);
  slices(20, 60, 300);
  const auto changes = tell();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].measure, "latency.p50");
  EXPECT_EQ(changes[0].at_s, 312);
  EXPECT_EQ(changes[0].unit, "seconds");
  EXPECT_EQ(changes[0].evidence.size(), 3u);
  EXPECT_EQ(changes[0].sentence,
            "At 5 min 12 s p50 rose from 20.0 ms to 80.0 ms under the same load and stayed there; "
            "of the 60.0 ms that requests take longer on average, 60.0 ms are database: lock "
            "waits.");
}

TEST_F(ToldChanges, WhatIsTakenBackIsToldUntilThen) {
  levels("latency.p50", "seconds", 0.02, 0.02);
  step({{"change", "1"}, {"measure", "latency.p50"}}, "seconds", 120, 0.02, 0.08);
  step({{"change", "2"}, {"measure", "latency.p50"}}, "seconds", 240, 0.08, 0.02);
  const auto changes = tell();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].sentence,
            "At 2 min 0 s p50 rose from 20.0 ms to 80.0 ms under the same load, until 4 min 0 s.");
  EXPECT_EQ(changes[1].sentence,
            "At 4 min 0 s p50 fell from 80.0 ms to 20.0 ms under the same load and stayed there.");
}

TEST_F(ToldChanges, TheLedgerIsToldOnceOfWhatBothPercentilesShow) {
  for (const char* measure : {"latency.p95", "latency.p50"}) {
    levels(measure, "seconds", 0.02, 0.08);
    step({{"measure", measure}}, "seconds", 300, 0.02, 0.08);
  }
  slices(20, 60, 300);
  const auto changes = tell();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_NE(changes[0].sentence.find("lock waits"), std::string::npos);
  EXPECT_EQ(changes[1].sentence,
            "At 5 min 0 s p95 rose from 20.0 ms to 80.0 ms under the same load and stayed there.");
}

TEST_F(ToldChanges, ASlopeIsToldFromItsBeginningToItsEnd) {
  levels("target_resident_bytes", "bytes", 100 * 1048576.0, 300 * 1048576.0);
  const auto changes = tell();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].gradual);
  EXPECT_EQ(changes[0].sentence,
            "From 0 s to 10 min 0 s the application's memory rose from 100.0 MiB to 300.0 MiB "
            "under the same load, bit by bit.");
}

TEST_F(ToldChanges, AreNoneWhereTheLevelsAreTheSame) {
  levels("latency.p50", "seconds", 0.02, 0.02);
  levels("requests.rate", "requests/s", 100, 100);
  EXPECT_TRUE(tell().empty());
}

// The rule's list of exceptions goes with the table of measures.
TEST(LatencyDegraded, IsBlamedForNothingButLatency) {
  RunBuilder run(60);
  run.requests(0.005, 100);
  run.rising_gauge("target_resident_bytes", 100e6, 900e6, {}, "bytes");
  for (const facts::ChangeMeasure& measure : facts::change_measures())
    if (measure.least_requests == 0 && measure.unit != "bytes")
      run.rising_gauge(std::string(measure.name), 100, 900, {}, std::string(measure.unit));
  run.data().header.rules = plumb::testing::shipped_rules();
  facts::FactSet facts = facts::compute(run.data());
  const auto d = diagnose(run.data(), facts);
  ASSERT_TRUE(d.is_ok()) << d.status().message();
  EXPECT_GE(d->changes.size(), 5u);
  for (const Finding& finding : d->findings) EXPECT_NE(finding.cause, "latency-degraded");
}

}  // namespace
}  // namespace plumb::diagnose
