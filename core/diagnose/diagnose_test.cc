// The shipped rules held against runs of round numbers: which cause is named, and when none is.
#include <gtest/gtest.h>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/shipped_rules_for_tests.h"
#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

Diagnosis diagnosis_of(RunBuilder& run) {
  run.data().header.rules = plumb::testing::shipped_rules();
  facts::FactSet facts = facts::compute(run.data());
  auto diagnosis = diagnose(run.data(), facts);
  EXPECT_TRUE(diagnosis.is_ok()) << diagnosis.status().message();
  if (!diagnosis.is_ok()) return {};
  EXPECT_TRUE(diagnosis->notes.empty()) << diagnosis->notes.front();
  for (const Finding& finding : diagnosis->findings) {
    EXPECT_EQ(finding.says.find('{'), std::string::npos) << finding.says;
    EXPECT_FALSE(finding.evidence.empty()) << finding.cause;
    for (const std::string& id : finding.evidence) EXPECT_NE(facts.by_id(id), nullptr);
  }
  return *diagnosis;
}

std::string cause_of(const Diagnosis& d) {
  return d.verdict.bottleneck ? d.verdict.bottleneck->cause : "none";
}

RunBuilder& host(RunBuilder& run, double busy) {
  return run.gauge("host_cpus", 2)
      .gauge("host_cpu_busy_ratio", busy, {}, "ratio")
      .gauge("host_runnable", 2 * busy)
      .gauge("host_memory_available_bytes", 8e9, {}, "bytes")
      .gauge("host_memory_total_bytes", 16e9, {}, "bytes")
      .counter("others_cpu_seconds_total", 0.05);
}

RunBuilder& app(RunBuilder& run, double cpu, double runqueue, double busiest, double threads) {
  return run.counter("target_cpu_seconds_total", cpu)
      .counter("target_runqueue_seconds_total", runqueue)
      .gauge("target_busiest_thread_ratio", busiest, {}, "ratio")
      .gauge("target_runnable_threads", threads);
}

RunBuilder& sessions(RunBuilder& run, const char* kind, double count) {
  return run.gauge("pg_sessions", count, {{"class", kind}});
}

TEST(ShippedRules, NameNobodyOnAHealthyService) {
  RunBuilder run;
  run.requests(0.0015, 100);
  app(host(run, 0.15), 0.09, 0.01, 0.03, 0.5);
  run.gauge("sqlite_write_lock_ratio", 0.01, {{"database", "shop.db"}}, "ratio");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "none");
  EXPECT_EQ(d.verdict.label, "Stable");
  EXPECT_FALSE(d.matrix.empty()) << "what was looked at is shown also when all is well";
}

TEST(Verdict, IsNotStableWhenRequestsFail) {
  const auto label_with = [](uint64_t failed_per_second) {
    RunBuilder run;
    run.requests(0.0015, 100);
    app(host(run, 0.15), 0.09, 0.01, 0.03, 0.5);
    run.histogram("http_response_seconds", 0.001, failed_per_second,
                  {{"endpoint", "orders"}, {"outcome", "failed"}});
    return diagnosis_of(run).verdict.label;
  };
  EXPECT_EQ(label_with(1), "Stable");
  EXPECT_EQ(label_with(4), "Warning");
  EXPECT_EQ(label_with(30), "Threat");
  EXPECT_EQ(label_with(150), "Inconclusive") << "most requests failed: nothing is explained";
}

TEST(Verdict, IsInconclusiveWhereNobodyWatchedWhatTakesLong) {
  const auto label_of = [](double latency_s, std::optional<double> promised_s) {
    RunBuilder run;
    run.requests(latency_s, 100);
    if (promised_s)
      run.data().header.plan = {
          {"slos", {{{"metric", "p95"}, {"limit", *promised_s}, {"written", "the limit"}}}}};
    return diagnosis_of(run).verdict.label;
  };
  EXPECT_EQ(label_of(0.05, std::nullopt), "Inconclusive");
  EXPECT_EQ(label_of(0.05, 0.02), "Inconclusive");
  EXPECT_EQ(label_of(0.05, 0.2), "Stable") << "all that was promised is kept";
  EXPECT_EQ(label_of(0.005, std::nullopt), "Stable") << "nobody waits for it";
}

TEST(Verdict, BlamesNobodyWhenTheLoadGeneratorDied) {
  RunBuilder run;
  run.requests(0.0015, 100);
  app(host(run, 0.15), 0.09, 0.01, 0.03, 0.5);
  run.data().health.push_back({"test", run.data().stages.back().start_ns + 2'000'000'000,
                               PLUMB_HEALTH_DARK, "ended by SIGKILL"});
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kInsufficient);
  EXPECT_EQ(d.verdict.label, "Inconclusive");
  EXPECT_NE(d.verdict.conclusion.find("The load ended early"), std::string::npos);
}

TEST(ShippedRules, NameAnExhaustedPoolAndWhatItWouldGain) {
  RunBuilder run;
  run.requests(0.0793, 202);
  app(host(run, 0.12), 0.2, 0.04, 0.16, 1);
  sessions(run, "sleep", 1.64);
  sessions(run, "idle_in_transaction", 0.3);
  run.gauge("pg_client_connections", 2).gauge("pg_max_connections", 100);
  run.counter("pg_active_seconds_total", 0.46).counter("pg_backend_cpu_seconds_total", 0.02);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "db-pool-exhausted");
  EXPECT_EQ(d.verdict.label, "Threat");
  EXPECT_NEAR(d.verdict.bottleneck->cost_ms, 69.9, 0.5);
  EXPECT_LT(d.verdict.bottleneck->latency_without_ms, 11);
  ASSERT_TRUE(d.verdict.bottleneck->throughput_bound);
  // The thread that is 16% busy at 202 requests a second is full at this rate.
  EXPECT_NEAR(*d.verdict.bottleneck->throughput_bound, 1262, 10);
}

TEST(ShippedRules, NameTheLockAndNotThePoolThatItHolds) {
  RunBuilder run;
  run.requests(0.2, 80);
  app(host(run, 0.2), 0.1, 0.01, 0.05, 1);
  sessions(run, "lock", 8.7);
  sessions(run, "idle_in_transaction", 1.0);
  run.gauge("pg_client_connections", 10).gauge("pg_lock_waiters", 8.7);
  run.table("pg_blocking",
            R"({"columns":[{"key":"pid"},{"key":"query"},{"key":"state"}],)"
            R"("rows":[[7,"UPDATE products SET stock = stock - $1","idle in transaction"]]})");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "db-lock-contention");
  EXPECT_GT(d.verdict.bottleneck->cost_ms, 150)
      << "waiting for a connection is waiting for the lock";
  EXPECT_NE(d.verdict.bottleneck->advice[0].find("UPDATE products"), std::string::npos);
}

TEST(ShippedRules, NameTheTableThatIsScannedThoughTheProcessorsAreFull) {
  RunBuilder run;
  run.requests(0.07, 110);
  app(host(run, 1.0), 0.1, 0.3, 0.05, 1);
  sessions(run, "cpu", 6.5);
  run.gauge("pg_client_connections", 16)
      .counter("pg_active_seconds_total", 6.9)
      .counter("pg_backend_cpu_seconds_total", 1.8)
      .counter("pg_backend_runqueue_seconds_total", 4.9)
      .counter("pg_table_seq_tuples_total", 110 * 200000.0, {{"table", "shop.orders"}}, "rows")
      .counter("pg_table_seq_scans_total", 110, {{"table", "shop.orders"}}, "1")
      .gauge("pg_table_live_tuples", 200000, {{"table", "shop.orders"}});
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "db-missing-index");
  EXPECT_NE(d.verdict.conclusion.find("shop.orders"), std::string::npos);
}

TEST(ShippedRules, NameTheStatementThatIsAskedFiftyTimes) {
  RunBuilder run;
  run.requests(0.0053, 750);
  app(host(run, 0.95), 0.7, 0.4, 0.3, 2.5);
  sessions(run, "cpu", 1.1);
  const Labels query = {{"query", "0xabc"}, {"statement", "SELECT * FROM items WHERE id = $1"}};
  run.gauge("pg_client_connections", 16)
      .counter("pg_backend_cpu_seconds_total", 0.9)
      .counter("pg_backend_runqueue_seconds_total", 0.5)
      .counter("pg_statement_calls_total", 750 * 50.0, query, "calls")
      .counter("pg_statement_seconds_total", 0.4, query);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "db-n-plus-one");
  EXPECT_NE(d.verdict.conclusion.find("50"), std::string::npos);
}

TEST(ShippedRules, NameCommitsThatWaitForTheLog) {
  RunBuilder run;
  run.requests(0.012, 600);
  app(host(run, 0.5), 0.3, 0.05, 0.2, 1);
  sessions(run, "commit", 5.5);
  run.gauge("pg_client_connections", 16).counter("pg_active_seconds_total", 6.1);
  EXPECT_EQ(cause_of(diagnosis_of(run)), "db-commit-wal");
}

TEST(ShippedRules, NameASlowStatement) {
  RunBuilder run;
  run.requests(0.12, 20);
  app(host(run, 0.2), 0.05, 0.01, 0.05, 0.5);
  sessions(run, "io", 2.2);
  const Labels query = {{"query", "0x1"}, {"statement", "SELECT sum(price) FROM items"}};
  run.gauge("pg_client_connections", 16)
      .counter("pg_statement_calls_total", 20, query, "calls")
      .counter("pg_statement_seconds_total", 2.2, query);
  EXPECT_EQ(cause_of(diagnosis_of(run)), "db-slow-query");
}

// A query of 60 ms and a peer of 25 ms in a request of 100 ms.
RunBuilder& slow_query_and_peer(RunBuilder& run, double peer_s) {
  run.requests(0.1, 20);
  app(host(run, 0.2), 0.05, 0.01, 0.05, 0.5);
  sessions(run, "io", 1.2);
  const Labels query = {{"query", "0x1"}, {"statement", "SELECT sum(price) FROM items"}};
  return run.gauge("pg_client_connections", 16)
      .counter("pg_statement_calls_total", 20, query, "calls")
      .counter("pg_statement_seconds_total", 1.2, query)
      .gauge("downstream_awaiting", 20 * peer_s, {{"peer", "127.0.0.1:9411"}});
}

TEST(ShippedRules, TellWhatStandsOutOnceTheFirstCauseIsGone) {
  RunBuilder run;
  const Diagnosis d = diagnosis_of(slow_query_and_peer(run, 0.025));
  EXPECT_EQ(cause_of(d), "db-slow-query");
  ASSERT_EQ(d.findings.size(), 2u);
  const Finding& next = d.findings[1];
  EXPECT_EQ(next.cause, "downstream-slow");
  EXPECT_EQ(next.after, "db-slow-query");
  EXPECT_NE(next.says.find("25.0 ms of its 100.0 ms"), std::string::npos) << next.says;
  EXPECT_NEAR(next.latency_without_ms, 15, 1) << "without both";
  EXPECT_EQ(next.what_if.find("If it were gone too: about"), 0u) << next.what_if;
}

TEST(ShippedRules, TellNothingOfWhatIsSmallBesideTheRest) {
  RunBuilder run;
  EXPECT_EQ(diagnosis_of(slow_query_and_peer(run, 0.008)).findings.size(), 1u);
}

TEST(ShippedRules, NameAnApplicationThatNeedsMoreProcessor) {
  RunBuilder run;
  run.requests(0.044, 350);
  app(host(run, 1.0), 1.85, 12.0, 0.2, 16);
  EXPECT_EQ(cause_of(diagnosis_of(run)), "app-cpu-saturated");
}

TEST(ShippedRules, NameTheOneThreadThatIsBusyWhileTheHostIsNot) {
  RunBuilder run;
  run.requests(0.107, 149);
  app(host(run, 0.55), 1.03, 0.01, 0.98, 1.1);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "app-single-thread-saturated");
  EXPECT_NEAR(d.verdict.bottleneck->cost_ms, 107, 1);
}

TEST(ShippedRules, NameTheHostWhenItsProcessorsGoToOthers) {
  RunBuilder run;
  run.requests(0.02, 100);
  app(host(run, 1.0), 0.2, 1.6, 0.1, 1);
  EXPECT_EQ(cause_of(diagnosis_of(run)), "host-cpu-saturated");
}

TEST(Diagnosis, TrustsNoGeneratorThatItsCgroupHeldBack) {
  RunBuilder run;
  run.requests(0.05, 100).counter("generator_throttled_seconds_total", 0.3);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kGeneratorLimited);
  EXPECT_NE(d.verdict.conclusion.find("Raise the quota"), std::string::npos)
      << d.verdict.conclusion;
}

TEST(Diagnosis, TrustsNoGeneratorThatRanOutOfPorts) {
  RunBuilder run;
  run.requests(0.05, 100).counter(
      "http_requests_total", 3,
      {{"endpoint", "orders"}, {"error", "no_local_port"}, {"status", "0"}}, "requests");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kGeneratorLimited);
  EXPECT_NE(d.verdict.conclusion.find("found no local port"), std::string::npos);
}

TEST(Diagnosis, CountsALoadThatAbortedItselfAsABreach) {
  RunBuilder run;
  run.requests(0.05, 100);
  run.data().events.push_back(
      {"http_load", 0, PLUMB_WARNING, "load-aborted", "load.abort: too many failed."});
  const Diagnosis d = diagnosis_of(run);
  ASSERT_EQ(d.slos.size(), 1u);
  EXPECT_FALSE(d.slos[0].met);
}

TEST(ShippedRules, NameTheSlowPeer) {
  RunBuilder run;
  run.requests(0.062, 100);
  app(host(run, 0.2), 0.1, 0.01, 0.05, 0.5);
  run.gauge("downstream_awaiting", 6, {{"peer", "127.0.0.1:9000"}})
      .gauge("downstream_sockets", 12, {{"peer", "127.0.0.1:9000"}});
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "downstream-slow");
  EXPECT_NE(d.verdict.conclusion.find("127.0.0.1:9000"), std::string::npos);
}

TEST(ShippedRules, NameTheProcessThatHoldsSqlitesWriteLock) {
  RunBuilder run;
  run.requests(0.043, 186);
  app(host(run, 0.2), 0.1, 0.01, 0.05, 0.5);
  const Labels database = {{"database", "shop.db"}};
  run.gauge("sqlite_write_lock_ratio", 0.98, database, "ratio");
  run.last_series().resource = "SQLite's write lock";
  run.gauge("sqlite_waiters", 6.6, database);
  run.last_series().ledger_line = "database.sqlite_lock";
  run.last_series().layer = PLUMB_LAYER_DATABASE;
  run.counter("sqlite_commits_total", 186, database, "1");
  run.table("sqlite_lock_holders",
            R"({"columns":[{"key":"database"},{"key":"pid"},{"key":"command"}],
                "rows":[["other.db","815","other"],["shop.db","4711","shop"]]})");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "sqlite-writer-contention");
  EXPECT_NE(d.verdict.bottleneck->check.find("4711"), std::string::npos);
}

// Of two databases whose locks are held most of the time, only one is waited for.
TEST(ShippedRules, BlameTheDatabaseThatIsWaitedForAndNotTheOneBesideIt) {
  RunBuilder run;
  run.requests(0.043, 186);
  app(host(run, 0.2), 0.1, 0.01, 0.05, 0.5);
  const auto database = [&run](const char* name, double held, double waiters) {
    const Labels labels = {{"database", name}};
    run.gauge("sqlite_write_lock_ratio", held, labels, "ratio");
    run.last_series().resource = "SQLite's write lock";
    run.gauge("sqlite_waiters", waiters, labels);
    run.last_series().ledger_line = "database.sqlite_lock";
    run.last_series().layer = PLUMB_LAYER_DATABASE;
    run.counter("sqlite_commits_total", 186, labels, "1");
  };
  database("log.db", 0.97, 0);
  database("shop.db", 0.8, 6.6);
  run.table("sqlite_lock_holders",
            R"({"columns":[{"key":"database"},{"key":"pid"},{"key":"command"}],
                "rows":[["log.db",99,"logger"],["shop.db",4711,"shop"]]})");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "sqlite-writer-contention");
  EXPECT_NE(d.verdict.bottleneck->check.find("4711"), std::string::npos)
      << d.verdict.bottleneck->check;
  EXPECT_NE(d.verdict.bottleneck->says.find("shop.db"), std::string::npos)
      << d.verdict.bottleneck->says;
}

// Where one request in five writes, its own hold is little beside what all of them waited.
TEST(ShippedRules, WaitersOfALockDoNotContainItsHolders) {
  RunBuilder run;
  run.requests(0.02, 200);
  app(host(run, 0.2), 0.1, 0.01, 0.05, 0.5);
  const Labels database = {{"database", "shop.db"}};
  run.gauge("sqlite_write_lock_ratio", 0.8, database, "ratio");
  run.gauge("sqlite_waiters", 3, database);
  run.last_series().ledger_line = "database.sqlite_lock";
  run.last_series().layer = PLUMB_LAYER_DATABASE;
  run.counter("sqlite_commits_total", 40, database, "1");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "sqlite-writer-contention");
  ASSERT_TRUE(d.verdict.bottleneck);
  EXPECT_NEAR(d.verdict.bottleneck->cost_ms, 15, 0.1);
}

// SQLite's waiters sleep between their tries and one writer can win every time: the requests that
// finish are quick, and the seven others never do.
TEST(ShippedRules, NameTheWriteLockWhereOneWriterStarvesTheOthers) {
  RunBuilder run;
  run.requests(0.0052, 192);
  run.gauge("http_in_flight", 8, {}, "requests");
  app(host(run, 0.012), 0.0025, 0.0002, 0.05, 0.5);
  const Labels database = {{"database", "shop.db"}};
  run.gauge("sqlite_write_lock_ratio", 0.98, database, "ratio");
  run.last_series().resource = "SQLite's write lock";
  run.gauge("sqlite_waiters", 7, database);
  run.last_series().ledger_line = "database.sqlite_lock";
  run.last_series().layer = PLUMB_LAYER_DATABASE;
  run.counter("sqlite_commits_total", 192, database, "1");
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(cause_of(d), "sqlite-writer-contention");
  EXPECT_NEAR(d.ledger.total_ms, 41.7, 0.1);
  EXPECT_NE(d.ledger.note.find("did not finish"), std::string::npos) << d.ledger.note;
}

TEST(ShippedRules, SayWhenAServiceWaitsOnNothingThatIsWatched) {
  RunBuilder run;
  run.requests(0.12, 50);
  app(host(run, 0.1), 0.05, 0.0, 0.05, 0.3);
  EXPECT_EQ(cause_of(diagnosis_of(run)), "app-wait-unseen");
}

TEST(Diagnosis, BlamesNobodyWhenTheGeneratorWasTheLimit) {
  RunBuilder run;
  run.histogram("http_response_seconds", 0.5, 1000, {{"endpoint", "a"}, {"outcome", "ok"}})
      .histogram("http_phase_seconds", 0.4, 1000, {{"endpoint", "a"}, {"phase", "lag"}})
      .counter("http_scheduled_total", 5000, {}, "requests")
      .counter("http_started_total", 1000, {}, "requests")
      .counter("generator_cpu_seconds_total", 0.99)
      .gauge("load_target_rate", 5000);
  app(host(run, 1.0), 1.0, 5.0, 0.5, 4);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kGeneratorLimited);
  EXPECT_EQ(d.verdict.label, "Inconclusive");
  EXPECT_EQ(cause_of(d), "none");
  EXPECT_TRUE(d.findings.empty());
}

TEST(Diagnosis, DoubtsAGeneratorThatNothingIsKnownOf) {
  RunBuilder run;
  run.histogram("http_response_seconds", 0.05, 100, {{"endpoint", "a"}, {"outcome", "ok"}});
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kValid);
  const auto doubt =
      std::find_if(d.validity.checks.begin(), d.validity.checks.end(),
                   [](const ValidityCheck& check) { return check.name == "generator-kept-up"; });
  ASSERT_NE(doubt, d.validity.checks.end());
  EXPECT_FALSE(doubt->passed);
  EXPECT_FALSE(doubt->fatal);
}

TEST(Diagnosis, AGeneratorThatStrangersCrowdOutIsTheLimit) {
  const auto status_with = [](double waits, double strangers) {
    RunBuilder run;
    run.requests(0.05, 100)
        .counter("generator_cpu_seconds_total", 0.1)
        .counter("generator_runqueue_seconds_total", waits)
        .counter("others_cpu_seconds_total", strangers)
        .gauge("host_cpus", 2);
    return diagnosis_of(run).validity.status;
  };
  EXPECT_EQ(status_with(0.95, 1.5), ValidityStatus::kGeneratorLimited);
  EXPECT_EQ(status_with(0.95, 0.1), ValidityStatus::kValid) << "its target takes them";
  EXPECT_EQ(status_with(0.5, 1.5), ValidityStatus::kValid);
}

TEST(Diagnosis, DoesNotTakeAnOverloadedTargetForALimitedGenerator) {
  RunBuilder run;
  run.histogram("http_response_seconds", 2.0, 100, {{"endpoint", "a"}, {"outcome", "ok"}})
      .histogram("http_phase_seconds", 1.5, 100, {{"endpoint", "a"}, {"phase", "queue"}})
      .counter("http_scheduled_total", 200, {}, "requests")
      .counter("http_started_total", 100, {}, "requests")
      .counter("generator_cpu_seconds_total", 0.05)
      .gauge("load_target_rate", 200);
  app(host(run, 1.0), 1.9, 10.0, 0.5, 8);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kValid);
}

TEST(Diagnosis, IsInconclusiveWithTooFewRequests) {
  RunBuilder run;
  run.requests(0.5, 2);
  const Diagnosis d = diagnosis_of(run);
  EXPECT_EQ(d.validity.status, ValidityStatus::kInsufficient);
  EXPECT_EQ(d.verdict.label, "Inconclusive");
}

TEST(Diagnosis, CountsAnObjectiveThatCannotBeEvaluatedAsBreached) {
  RunBuilder run;
  run.requests(0.01, 100).counter("target_cpu_seconds_total", 0.8);
  run.data().header.plan = {
      {"slos",
       {{{"endpoint", "orders"}, {"metric", "p95"}, {"limit", 0.05}, {"written", "50ms"}},
        {{"endpoint", "absent"}, {"metric", "p95"}, {"limit", 0.05}, {"written", "50ms"}}}}};
  const Diagnosis d = diagnosis_of(run);
  ASSERT_EQ(d.slos.size(), 2u);
  EXPECT_TRUE(d.slos[0].met);
  EXPECT_FALSE(d.slos[1].met);
  EXPECT_FALSE(d.slos[1].actual);
  EXPECT_EQ(d.verdict.label, "Warning");
}

TEST(Diagnosis, FailsOnARuleFileThatCannotBeReadAndNamesIt) {
  RunBuilder run;
  run.data().header.rules = {{{"origin", "mine/rules.yaml"}, {"text", "- id: [\n"}}};
  facts::FactSet facts = facts::compute(run.data());
  const auto diagnosis = diagnose(run.data(), facts);
  ASSERT_FALSE(diagnosis.is_ok());
  EXPECT_EQ(diagnosis.status().message().rfind("mine/rules.yaml:", 0), 0u);
}

TEST(Diagnosis, JudgesEachStageByItself) {
  RunBuilder run;
  run.stages({{PLUMB_STAGE_STEADY, "calm", 0, 6 * RunBuilder::kSecond},
              {PLUMB_STAGE_STEADY, "busy", 6 * RunBuilder::kSecond, 12 * RunBuilder::kSecond}});
  run.requests(0.05, 40).gauge("host_cpus", 2);
  run.counter("target_cpu_seconds_total", 1.9).counter("target_runqueue_seconds_total", 0);
  run.gauge("host_cpu_busy_ratio", 0.98, {}, "ratio");
  run.counter_over_time("target_cpu_seconds_total", {0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 1.9});
  const Diagnosis d = diagnosis_of(run);
  ASSERT_EQ(d.stages.size(), 2u);
  ASSERT_TRUE(d.stages[0].verdict.bottleneck);
  EXPECT_EQ(d.stages[0].verdict.bottleneck->cause, "app-wait-unseen");
  ASSERT_TRUE(d.stages[1].verdict.bottleneck);
  EXPECT_EQ(d.stages[1].verdict.bottleneck->cause, "app-cpu-saturated");
  EXPECT_NEAR(d.stages[1].rate, 40, 1);
}

TEST(Diagnosis, OfOneStageDoesNotRepeatIt) {
  RunBuilder run;
  run.requests(0.05, 40);
  EXPECT_TRUE(diagnosis_of(run).stages.empty());
}

}  // namespace
}  // namespace plumb::diagnose
