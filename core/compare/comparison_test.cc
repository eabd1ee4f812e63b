#include "core/compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/compare/simulated_run_for_tests.h"
#include "core/facts/facts.h"

namespace plumb::compare {
namespace {

using plumb::testing::simulated_run;
using plumb::testing::SimulatedService;
using ::testing::HasSubstr;
using ::testing::Not;

RunMeasures measured(const SimulatedService& service, uint64_t seed) {
  const auto measures = measure(simulated_run(service, seed));
  EXPECT_TRUE(measures.is_ok()) << measures.status().message();
  return *measures;
}

Comparison compared(const SimulatedService& base, const SimulatedService& run) {
  const auto comparison = compare({measured(base, 1)}, measured(run, 2), {});
  EXPECT_TRUE(comparison.is_ok()) << comparison.status().message();
  return *comparison;
}

const Change& change(const std::vector<Change>& changes, const std::string& metric,
                     const std::string& subject = "") {
  for (const Change& one : changes)
    if (one.metric == metric && (subject.empty() || one.subject == subject)) return one;
  ADD_FAILURE() << "no " << metric << " of " << subject;
  return changes.front();
}

// With one more line of the ledger.
RunMeasures with_line(RunMeasures run, const std::string& key, double ms) {
  Measure line;
  line.kind = Kind::kLedger;
  line.metric = "time_per_request";
  line.subject = key;
  line.unit = "seconds";
  line.by_ratio = false;
  line.value = ms / 1e3;
  line.estimate = {line.value, 1e-12, 10};
  run.measures.push_back(line);
  run.ledger_total_ms += ms;
  return run;
}

const SimulatedService kService;

TEST(Comparison, TwoRunsOfTheSameAreTheSame) {
  const Comparison comparison = compared(kService, kService);
  EXPECT_EQ(comparison.label, "Stable");
  EXPECT_FALSE(comparison.regressed());
  EXPECT_THAT(comparison.conclusion, HasSubstr("No figure that the client sees changed"));
  for (const Change& figure : comparison.client) EXPECT_FALSE(figure.changed()) << figure.metric;
}

TEST(Comparison, FiguresAreTheOnesThatReportsTell) {
  const store::RunData run = simulated_run(kService, 1);
  const facts::FactSet facts = facts::compute(run);
  const Comparison comparison = *compare({*measure(run)}, *measure(run), {});
  for (const char* metric : {"mean", "p50", "p90", "p95", "p99"})
    EXPECT_EQ(change(comparison.client, metric).run, facts.value(std::string("latency.") + metric));
  EXPECT_EQ(change(comparison.client, "throughput").run, facts.value("requests.rate"));
}

TEST(Comparison, TheSameRunsGiveTheSameBits) {
  const Comparison once = compared(kService, kService);
  const Comparison again = compared(kService, kService);
  for (size_t i = 0; i < once.client.size(); ++i) {
    EXPECT_EQ(once.client[i].low, again.client[i].low);
    EXPECT_EQ(once.client[i].p, again.client[i].p);
  }
}

TEST(Comparison, ALargeRegressionIsAThreatAndAnIntervalHoldsItsSize) {
  SimulatedService slower = kService;
  slower.slower = 1.4;
  const Comparison comparison = compared(kService, slower);
  EXPECT_EQ(comparison.label, "Threat");
  EXPECT_TRUE(comparison.regressed());
  const Change& p95 = change(comparison.client, "p95");
  EXPECT_EQ(p95.verdict, ChangeVerdict::kRegressed);
  EXPECT_LE(*p95.relative(p95.low), 0.4);
  EXPECT_GE(*p95.relative(p95.high), 0.4);
  EXPECT_THAT(comparison.conclusion, HasSubstr("P95 rose from"));
}

TEST(Comparison, ARegressionThatTheHypervisorMayHaveMadeIsLeftOpen) {
  const RunMeasures base = measured(kService, 1);
  RunMeasures run = measured(kService, 2);
  for (Measure& measure : run.measures)
    if (measure.subject.empty() && (measure.metric == "p99" || measure.metric == "p999")) {
      measure.value *= 4;
      measure.estimate.value += std::log(4);
    }
  run.machine.stolen = 0.02;
  Comparison comparison = *compare({base}, run, {});
  EXPECT_EQ(change(comparison.client, "p99").verdict, ChangeVerdict::kInsufficientData);
  EXPECT_FALSE(comparison.regressed());
  EXPECT_EQ(comparison.label, "Inconclusive");
  EXPECT_THAT(comparison.conclusion, HasSubstr("the hypervisor kept 2.0% of the processors"));
  run.machine.stolen = 0;
  comparison = *compare({base}, run, {});
  EXPECT_EQ(change(comparison.client, "p99").verdict, ChangeVerdict::kRegressed);
  EXPECT_EQ(comparison.undecided, "");
}

TEST(Comparison, ASlowerMachineIsNoSlowerService) {
  SimulatedService slower = kService;
  slower.slower = 1.15;
  const RunMeasures base = measured(kService, 1);
  RunMeasures run = measured(slower, 2);
  EXPECT_TRUE(compare({base}, run, {})->regressed());
  run.machine = base.machine;
  run.machine.generator_s = 1.2 * base.machine.generator_s;
  ASSERT_GT(run.machine.generator_s, 0);
  const Comparison comparison = *compare({base}, run, {});
  EXPECT_FALSE(comparison.regressed());
  EXPECT_EQ(comparison.environment.front().key, "measured.generator_cpu_per_request");
}

TEST(Comparison, WhatTheMachineDidStandsBehindWhatForbidsAComparison) {
  RunMeasures base = measured(kService, 1);
  RunMeasures run = measured(kService, 2);
  base.plan["name"] = "shop";
  run.plan["name"] = "another";
  run.machine.stolen = 0.05;
  const auto listed = compare({base}, run, {.force = true})->environment;
  ASSERT_GE(listed.size(), 2u);
  EXPECT_EQ(listed[0].weight, Weight::kRefused);
  EXPECT_EQ(listed[1].key, "measured.stolen");
}

TEST(Comparison, WhatTheMachineDoesNotExplainIsTheServices) {
  SimulatedService slower = kService;
  slower.slower = 1.5;
  const RunMeasures base = measured(kService, 1);
  RunMeasures run = measured(slower, 2);
  run.machine = base.machine;
  run.machine.generator_s = 1.2 * base.machine.generator_s;
  const Comparison comparison = *compare({base}, run, {});
  EXPECT_TRUE(comparison.regressed());
  const Change& mean = change(comparison.client, "mean");
  EXPECT_NEAR(*mean.relative(mean.difference), 0.5, 0.1) << "all of it is told";
  run.machine.generator_s = base.machine.generator_s / 1.2;
  EXPECT_TRUE(compare({base}, run, {})->regressed()) << "slower on a faster machine";
}

TEST(Comparison, WhatTheMachineOrTheGeneratorTookIsNoChangeOfTheServiceAndIsNamedAllTheSame) {
  for (const char* key : {"app.stolen", "client.lag"}) {
    const Comparison comparison = *compare({with_line(measured(kService, 1), key, 0.1)},
                                           with_line(measured(kService, 2), key, 30), {});
    EXPECT_EQ(change(comparison.ledger, "time_per_request", key).verdict,
              ChangeVerdict::kInsufficientData);
    ASSERT_TRUE(comparison.responsible);
    EXPECT_EQ(comparison.responsible->key, key);
    EXPECT_NE(comparison.label, "Warning");
  }
}

TEST(Comparison, APeerThatListensElsewhereIsTheSamePeer) {
  const auto with_peer = [](const RunMeasures& run, const std::string& address, double ms) {
    return with_line(run, "downstream." + address, ms);
  };
  const auto lines_changed = [&](const RunMeasures& base, const RunMeasures& run) {
    int changed = 0;
    const Comparison comparison = *compare({base}, run, {});
    for (const Change& line : comparison.ledger) changed += line.changed() ? 1 : 0;
    return changed;
  };
  const RunMeasures base = with_peer(measured(kService, 1), "127.0.0.1:40001", 25);
  const RunMeasures run = measured(kService, 2);
  EXPECT_EQ(lines_changed(base, with_peer(run, "127.0.0.1:50002", 25)), 0);
  EXPECT_EQ(lines_changed(base, with_peer(run, "127.0.0.1:50002", 50)), 1);
  EXPECT_EQ(lines_changed(base, with_peer(run, "10.0.0.7:40001", 25)), 2);
}

TEST(Comparison, ASmallerRegressionIsAWarningAndItsReverseAnImprovement) {
  SimulatedService slower = kService;
  slower.slower = 1.13;
  slower.between_runs = 0;
  SimulatedService steady = kService;
  steady.between_runs = 0;
  steady.drift = slower.drift = 0.02;
  EXPECT_EQ(compared(steady, slower).label, "Warning");
  const Comparison better = compared(slower, steady);
  EXPECT_EQ(better.label, "Stable");
  EXPECT_EQ(change(better.client, "p50").verdict, ChangeVerdict::kImproved);
  EXPECT_FALSE(better.regressed());
}

TEST(Comparison, AnEffectThatIsSureButSmallIsTheSame) {
  SimulatedService slower = kService;
  slower.slower = 1.4;
  CompareOptions options;
  options.least_relative = 0.6;
  const Comparison relative = *compare({measured(kService, 1)}, measured(slower, 2), options);
  EXPECT_FALSE(relative.regressed());
  options.least_relative = 0.05;
  options.least_seconds = 0.1;
  EXPECT_FALSE(compare({measured(kService, 1)}, measured(slower, 2), options)->regressed());
}

TEST(Comparison, ErrorsThatAppearAreARegressionAndAFewMoreByChanceAreNot) {
  SimulatedService failing = kService;
  failing.failed_share = 0.03;
  const Comparison worse = compared(kService, failing);
  EXPECT_EQ(change(worse.client, "error_rate").verdict, ChangeVerdict::kRegressed);
  EXPECT_EQ(worse.label, "Threat");
  EXPECT_THAT(worse.conclusion, HasSubstr("Error rate rose from 0% to "));
  SimulatedService seldom = kService;
  seldom.failed_share = 0.0003;
  EXPECT_EQ(change(compared(kService, seldom).client, "error_rate").verdict, ChangeVerdict::kSame);
}

TEST(Comparison, NamesTheLayerThatTheDifferenceCameFromAndTheLinesSumToIt) {
  SimulatedService before = kService;
  before.database_s = 0.001;
  SimulatedService after = kService;
  after.database_s = 0.016;
  const Comparison comparison = compared(before, after);
  ASSERT_TRUE(comparison.responsible.has_value());
  EXPECT_EQ(comparison.responsible->key, "database.commit");
  EXPECT_EQ(comparison.responsible->layer, "database");
  EXPECT_NEAR(comparison.responsible->ms, 15, 1.5);
  EXPECT_EQ(comparison.ledger.front().subject, "database.commit");
  double sum = 0;
  for (const Change& line : comparison.ledger) sum += *line.difference * 1e3;
  EXPECT_NEAR(sum, comparison.mean_difference_ms, 1e-6);
  EXPECT_THAT(comparison.conclusion, HasSubstr("is database: WAL write and sync at commit"));
}

RunMeasures with_cause(RunMeasures measures, const std::string& cause, double cost_ms) {
  measures.causes.push_back({cause, "database", "The reason is " + cause + ".", cost_ms});
  return measures;
}

TEST(Comparison, NamesTheCauseThatOnlyTheSlowerSideHas) {
  SimulatedService after = kService;
  after.database_s = 0.016;
  const RunMeasures base = measured(kService, 1);
  const RunMeasures run = with_cause(
      with_cause(with_cause(measured(after, 2), "small", 1), "large", 14), "consequence", 15);
  const Comparison slower = *compare({base}, run, {});
  ASSERT_TRUE(slower.explanation.has_value());
  EXPECT_EQ(slower.explanation->cause, "large");
  EXPECT_EQ(slower.explanation->base_ms, 0);
  EXPECT_EQ(slower.explanation->run_ms, 14);
  EXPECT_THAT(slower.conclusion, HasSubstr("New in the run: The reason is large."));
  const Comparison faster = *compare({run}, base, {});
  EXPECT_THAT(faster.conclusion, HasSubstr("Gone since the base: The reason is large."));
}

TEST(Comparison, ACauseThatBothSidesHaveExplainsWhatItCostsMore) {
  SimulatedService after = kService;
  after.database_s = 0.016;
  const RunMeasures base = measured(kService, 1);
  const RunMeasures run = measured(after, 2);
  const Comparison worse = *compare({with_cause(base, "c", 5)}, with_cause(run, "c", 20), {});
  EXPECT_THAT(worse.conclusion, HasSubstr("Worse than the base's 5.0 ms: The reason is c."));
  const Comparison alike = *compare({with_cause(base, "c", 5)}, with_cause(run, "c", 6), {});
  EXPECT_FALSE(alike.explanation.has_value());
}

TEST(Comparison, ALineThatOnlyOneSideHasIsHeldAgainstNothing) {
  SimulatedService with = kService;
  with.database_s = 0.01;
  const Comparison grown = compared(kService, with);
  EXPECT_EQ(change(grown.ledger, "time_per_request", "database.commit").base, 0);
  const Comparison gone = compared(with, kService);
  const Change& line = change(gone.ledger, "time_per_request", "database.commit");
  EXPECT_EQ(line.run, 0);
  EXPECT_EQ(line.verdict, ChangeVerdict::kImproved);
}

TEST(Comparison, TellsAQueryThatIsCalledMoreOftenByEachRequest) {
  SimulatedService once = kService;
  once.calls = 1;
  SimulatedService many = kService;
  many.calls = 51;
  const Comparison comparison = compared(once, many);
  const Change& calls = change(comparison.queries, "calls_per_request");
  EXPECT_EQ(calls.verdict, ChangeVerdict::kRegressed);
  EXPECT_NEAR(*calls.run / *calls.base, 51, 3);
  EXPECT_EQ(change(comparison.queries, "time_per_call").verdict, ChangeVerdict::kSame);
  EXPECT_THAT(comparison.conclusion,
              HasSubstr("Query 7c1f (select * from item where id = $1): calls per request "));
}

TEST(Comparison, AQueryIsFoundByItsTextWhereADatabaseMadeAnewGaveItAnotherId) {
  SimulatedService service = kService;
  service.calls = 2;
  RunMeasures base = measured(service, 1);
  for (Measure& one : base.measures)
    if (one.kind == Kind::kQuery) one.subject = "other";
  const Comparison comparison = *compare({base}, measured(service, 2), {});
  EXPECT_EQ(comparison.queries.size(), 2u);
  EXPECT_EQ(change(comparison.queries, "calls_per_request").verdict, ChangeVerdict::kSame);
}

TEST(Comparison, AnInvalidRunLeavesInsufficientDataWithItsReason) {
  store::RunData limited = simulated_run(kService, 2);
  store::SeriesData throttled = limited.series.back();
  for (const store::SeriesData& series : limited.series)
    if (series.info.name == "generator_cpu_seconds_total") throttled = series;
  throttled.info.name = "generator_throttled_seconds_total";
  for (double& value : throttled.values) value *= 6;
  limited.series.push_back(throttled);
  const Comparison comparison = *compare({measured(kService, 1)}, *measure(limited), {});
  EXPECT_EQ(comparison.label, "Inconclusive");
  EXPECT_THAT(comparison.insufficient, HasSubstr("run 20261120T104512Z-0002 is not valid: "));
  EXPECT_THAT(comparison.conclusion, HasSubstr("Nothing can be said: "));
  EXPECT_TRUE(comparison.client.empty());
  EXPECT_FALSE(comparison.regressed());
}

TEST(Comparison, ARunThatWasInterruptedOrIsTooShortIsInsufficientToo) {
  store::RunData interrupted = simulated_run(kService, 2);
  interrupted.state = store::RunState::kInterrupted;
  EXPECT_THAT(measure(interrupted)->insufficient, HasSubstr("did not end in order (interrupted)"));
  SimulatedService brief = kService;
  brief.seconds = 20;
  EXPECT_THAT(measured(brief, 1).insufficient, HasSubstr("at least 30 s are needed"));
  EXPECT_FALSE(measure(store::RunData{})->insufficient.empty());
}

TEST(Comparison, AQuantileBeyondWhatTheRequestsCarryIsInsufficientAlone) {
  SimulatedService few = kService;
  few.rate = 20;
  const Comparison comparison = compared(few, few);
  const Change& p999 = change(comparison.client, "p999");
  EXPECT_EQ(p999.verdict, ChangeVerdict::kInsufficientData);
  EXPECT_THAT(p999.reason, HasSubstr("10,000 requests are needed"));
  EXPECT_EQ(change(comparison.client, "p50").verdict, ChangeVerdict::kSame);
}

TEST(Comparison, SeveralBaseRunsThatDifferMakeADifferenceLessSure) {
  SimulatedService slower = kService;
  slower.slower = 1.2;
  const RunMeasures run = measured(slower, 9);
  std::vector<RunMeasures> steady;
  std::vector<RunMeasures> wild;
  SimulatedService unsteady = kService;
  unsteady.between_runs = 0.3;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    steady.push_back(measured(kService, seed));
    wild.push_back(measured(unsteady, seed));
  }
  EXPECT_TRUE(compare(steady, run, {})->regressed());
  EXPECT_FALSE(compare(wild, run, {})->regressed());
}

TEST(Comparison, RunsOfDifferentThingsAreRefusedUnlessForced) {
  RunMeasures other = measured(kService, 2);
  other.plan["name"] = "checkout";
  const auto refused = compare({measured(kService, 1)}, other, {});
  ASSERT_FALSE(refused.is_ok());
  EXPECT_THAT(refused.status().message(), HasSubstr("plan.name is shop in"));
  EXPECT_THAT(refused.status().message(), HasSubstr("--force"));
  CompareOptions options;
  options.force = true;
  const auto forced = compare({measured(kService, 1)}, other, options);
  ASSERT_TRUE(forced.is_ok());
  EXPECT_EQ(forced->environment.front().weight, Weight::kRefused);
}

TEST(Comparison, AnObjectiveThatWasMetAndIsBreachedNowIsAThreat) {
  SimulatedService slower = kService;
  slower.slower = 1.15;
  RunMeasures base = measured(kService, 1);
  RunMeasures run = measured(slower, 2);
  base.met = {"p95 <= 20ms"};
  run.breached = {"p95 <= 20ms"};
  const Comparison comparison = *compare({base}, run, {});
  EXPECT_EQ(comparison.label, "Threat");
  EXPECT_THAT(comparison.conclusion, HasSubstr("p95 <= 20ms was met, and is breached now."));
}

}  // namespace
}  // namespace plumb::compare
