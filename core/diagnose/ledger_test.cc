#include "core/diagnose/ledger.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

Ledger ledger_of(RunBuilder& run, facts::FactSet& facts) {
  return build_ledger(run.data(), facts::steady_window(run.data()).value(), facts);
}

Ledger ledger_of(RunBuilder& run) {
  facts::FactSet facts = facts::compute(run.data());
  return ledger_of(run, facts);
}

void expect_it_closes(const Ledger& ledger) {
  const double sum = std::accumulate(ledger.lines.begin(), ledger.lines.end(), 0.0,
                                     [](double s, const LedgerLine& l) { return s + l.ms; });
  EXPECT_NEAR(sum, ledger.total_ms, 1e-6 * ledger.total_ms);
}

TEST(Ledger, SumsToWhatTheClientSaw) {
  RunBuilder run;
  run.requests(0.05, 100)
      .counter("target_cpu_seconds_total", 0.5)
      .counter("target_runqueue_seconds_total", 0.2);
  const Ledger ledger = ledger_of(run);
  EXPECT_NEAR(ledger.total_ms, 50, 1e-6);
  EXPECT_NEAR(ledger.ms_of("app.cpu"), 5, 1e-9);
  EXPECT_NEAR(ledger.ms_of("app.runqueue"), 2, 1e-9);
  EXPECT_NEAR(ledger.unexplained_ms, 43, 1e-6);
  expect_it_closes(ledger);
}

TEST(Ledger, IsEmptyWithoutRequests) {
  RunBuilder run;
  run.gauge("host_cpu_busy_ratio", 0.1);
  EXPECT_EQ(ledger_of(run).lines.size(), 0u);
}

TEST(Ledger, GivesTheRestToTheOneResourceThatIsNearlyFull) {
  RunBuilder run;
  run.requests(0.08, 200)
      .gauge("pg_sessions", 1.96, {{"class", "sleep"}})
      .gauge("pg_client_connections", 2);
  const Ledger ledger = ledger_of(run);
  EXPECT_NEAR(ledger.ms_of("database.sleep"), 9.8, 0.1);
  EXPECT_NEAR(ledger.ms_of("queue.pool"), 70.2, 0.1);
  EXPECT_NEAR(ledger.unexplained_ms, 0, 1e-9);
  expect_it_closes(ledger);
}

TEST(Ledger, SeesAFullPoolOnAStarvedHostWhereSamplesMissRunnableBackends) {
  RunBuilder run;
  run.requests(0.181, 88)
      .gauge("pg_sessions", 1.25, {{"class", "sleep"}})
      .gauge("pg_client_connections", 2)
      .counter("pg_backend_cpu_seconds_total", 0.06)
      .counter("pg_backend_runqueue_seconds_total", 1.08);
  EXPECT_NEAR(ledger_of(run).ms_of("queue.pool"), 153.8, 0.5);
}

TEST(Ledger, APoolThatTheApplicationAndTheDatabaseTellOfIsOneResource) {
  RunBuilder run;
  run.requests(0.08, 200)
      .gauge("pg_sessions", 1.96, {{"class", "sleep"}})
      .gauge("pg_client_connections", 2)
      .gauge("app_pool_utilisation_ratio", 0.995, {{"pool", "orders"}}, "ratio");
  run.last_series().resource = "a pool connection";
  facts::FactSet facts = facts::compute(run.data());
  const Ledger ledger = build_ledger(run.data(), facts::steady_window(run.data()).value(), facts);
  EXPECT_NEAR(ledger.ms_of("queue.pool"), 70.05, 0.1);
  EXPECT_NEAR(ledger.unexplained_ms, 0, 0.2);
  EXPECT_EQ(facts.all("resource.utilisation").size(), 1u);
  EXPECT_NEAR(facts.value_or("resource.utilisation", 0, {{"resource", "a pool connection"}}), 0.995,
              1e-9);
}

TEST(Ledger, APoolThatOnlyTheApplicationTellsOfIsQueuedForToo) {
  RunBuilder run;
  run.requests(0.08, 200).gauge("app_pool_utilisation_ratio", 0.99, {{"pool", "orders"}}, "ratio");
  run.last_series().resource = "a pool connection";
  // Of 16 in flight one has the connection.
  EXPECT_NEAR(ledger_of(run).ms_of("queue.pool"), 75, 0.1);
}

TEST(Ledger, LeavesTheRestUnexplainedBesideTwoFullResources) {
  RunBuilder run;
  run.requests(0.08, 200)
      .gauge("pg_sessions", 1.96, {{"class", "sleep"}})
      .gauge("pg_client_connections", 2)
      .gauge("target_busiest_thread_ratio", 0.97)
      .gauge("target_runnable_threads", 1);
  const Ledger ledger = ledger_of(run);
  EXPECT_GT(ledger.unexplained_ms, 60);
  EXPECT_NE(ledger.note.find("more than one resource"), std::string::npos);
}

TEST(Ledger, GivesAServerThatIsNotFullTheQueueThatChanceMakes) {
  const auto queue_of = [](double busy, double latency_s) {
    RunBuilder run;
    run.requests(latency_s, 50)
        .gauge("target_busiest_thread_ratio", busy)
        .gauge("target_runnable_threads", 1);
    return ledger_of(run).ms_of("queue.main_thread");
  };
  // 16 ms of the thread for each request, and at most four times that in its queue.
  EXPECT_NEAR(queue_of(0.8, 0.2), 64, 0.1);
  EXPECT_NEAR(queue_of(0.8, 0.05), 34, 0.1) << "1.7 of 2.5 in flight can wait for it";
  EXPECT_EQ(queue_of(0.6, 0.2), 0) << "who is often idle has hardly a queue";
}

TEST(Ledger, TakesThreadsThatWaitForLocksForRequestsWhereThereAreHardlyMore) {
  const auto lock_of = [](double waiting) {
    RunBuilder run;
    run.requests(0.03, 100).counter("profile_lock_wait_seconds_total", waiting);
    return ledger_of(run).ms_of("app.lock");
  };
  EXPECT_NEAR(lock_of(2), 20, 0.1);
  EXPECT_NEAR(lock_of(3.3), 30, 0.1) << "no more than there is";
  EXPECT_EQ(lock_of(14), 0) << "workers that take turns at accepting wait for no request";
}

TEST(Ledger, TakesAPeerForAskedOutsideOfTheTransactionWhereTimeIsLeft) {
  const auto held_of = [](double latency_s) {
    RunBuilder run;
    run.requests(latency_s, 40)
        .gauge("pg_client_connections", 20)
        .gauge("pg_sessions", 1.2, {{"class", "idle_in_transaction"}})
        .gauge("downstream_awaiting", 1.2, {{"peer", "127.0.0.1:9411"}});
    return ledger_of(run).ms_of("app.in_transaction");
  };
  EXPECT_NEAR(held_of(0.062), 30, 0.1);
  EXPECT_NEAR(held_of(0.032), 2, 0.1) << "asked inside: that time is the peer's already";
}

TEST(Ledger, LeavesTheRestUnexplainedWhenNothingIsFull) {
  RunBuilder run;
  run.requests(0.12, 50)
      .counter("target_cpu_seconds_total", 0.05)
      .gauge("target_busiest_thread_ratio", 0.05);
  EXPECT_NEAR(ledger_of(run).unexplained_ms, 119, 0.1);
}

TEST(Ledger, TakesProcessorTimeFromTheBackendsWhereSamplesMissIt) {
  // A starved host: samples see a fifth of a session where backends wait 3.4 s a second.
  RunBuilder run;
  run.requests(0.05, 100)
      .gauge("pg_sessions", 0.2, {{"class", "cpu"}})
      .counter("pg_active_seconds_total", 0.9)
      .counter("pg_backend_cpu_seconds_total", 1.1)
      .counter("pg_backend_runqueue_seconds_total", 3.4);
  const Ledger ledger = ledger_of(run);
  EXPECT_NEAR(ledger.ms_of("database.cpu"), 11, 0.01);
  EXPECT_NEAR(ledger.ms_of("database.runqueue"), 34, 0.01);
}

TEST(Ledger, TakesTheLargerOfCountersAndSamplesForWaitsAndSaysSo) {
  // pg_sleep touches no table: the server's counter lags far behind what samples see.
  RunBuilder run;
  run.requests(0.02, 100)
      .gauge("pg_sessions", 1.0, {{"class", "sleep"}})
      .counter("pg_active_seconds_total", 0.2);
  const Ledger lagging = ledger_of(run);
  EXPECT_NEAR(lagging.ms_of("database.sleep"), 10, 0.01);

  RunBuilder commits;
  commits.requests(0.05, 100)
      .gauge("pg_sessions", 2.0, {{"class", "commit"}})
      .counter("pg_active_seconds_total", 3.7)
      .counter("pg_backend_cpu_seconds_total", 0.7);
  const Ledger hidden = ledger_of(commits);
  EXPECT_NEAR(hidden.ms_of("database.commit"), 30, 0.01);
  bool noted = false;
  for (const LedgerLine& line : hidden.lines) noted = noted || !line.note.empty();
  EXPECT_TRUE(noted);
}

TEST(Ledger, ShortensLinesThatAreLongerThanTheClientWaitedAndSaysBy) {
  RunBuilder run;
  run.requests(0.01, 100)
      .counter("target_cpu_seconds_total", 1.5)
      .counter("target_runqueue_seconds_total", 0.5);
  const Ledger ledger = ledger_of(run);
  EXPECT_NEAR(ledger.overlap_ms, 10, 1e-6);
  EXPECT_NEAR(ledger.ms_of("app.cpu"), 7.5, 1e-6);
  expect_it_closes(ledger);
}

TEST(Ledger, PutsAnUnknownPluginsDeclaredLineInByLittlesLaw) {
  RunBuilder run;
  run.requests(0.05, 100).gauge("cache_waiting", 2.0);
  run.last_series().ledger_line = "app.cache";
  run.last_series().layer = PLUMB_LAYER_APP;
  EXPECT_NEAR(ledger_of(run).ms_of("app.cache"), 20, 0.01);
}

// A gauge that a plugin declares as part of a line.
void declare(RunBuilder& run, const std::string& name, double value, const Labels& labels,
             const std::string& line) {
  run.gauge(name, value, labels);
  run.last_series().ledger_line = line;
  run.last_series().layer = PLUMB_LAYER_DATABASE;
  run.last_series().help = "threads that wait";
}

TEST(Ledger, SeriesOfOneLineWithDifferentLabelsAreOneLineThatSaysItsParts) {
  RunBuilder run;
  run.requests(0.05, 100);
  declare(run, "sqlite_waiters", 0.5, {{"database", "log.db"}}, "database.sqlite_lock");
  declare(run, "sqlite_waiters", 2.0, {{"database", "shop.db"}}, "database.sqlite_lock");
  facts::FactSet facts = facts::compute(run.data());
  const Ledger ledger = ledger_of(run, facts);
  std::vector<LedgerLine> lines;
  for (const LedgerLine& line : ledger.lines)
    if (line.key == "database.sqlite_lock") lines.push_back(line);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NEAR(lines[0].ms, 25, 0.01);
  EXPECT_EQ(lines[0].label, "threads that wait");
  EXPECT_EQ(lines[0].note, "the sum of 2: shop.db 20.0 ms, log.db 5.0 ms");
  EXPECT_EQ(lines[0].evidence.size(), 2u);
  EXPECT_NEAR(facts.value_or("ledger.database.sqlite_lock", 0), 0.025, 1e-6);
  EXPECT_NEAR(facts.value_or("ledger.database.sqlite_lock", 0, {{"database", "shop.db"}}), 0.02,
              1e-6);
  expect_it_closes(ledger);
}

TEST(Ledger, PartsAreShortenedWithTheirLine) {
  RunBuilder run;
  run.requests(0.01, 100);
  declare(run, "sqlite_waiters", 1.5, {{"database", "a.db"}}, "database.sqlite_lock");
  declare(run, "sqlite_waiters", 0.5, {{"database", "b.db"}}, "database.sqlite_lock");
  facts::FactSet facts = facts::compute(run.data());
  EXPECT_NEAR(ledger_of(run, facts).overlap_ms, 10, 1e-6);
  EXPECT_NEAR(facts.value_or("ledger.database.sqlite_lock", 0, {{"database", "a.db"}}), 0.0075,
              1e-6);
}

TEST(Ledger, ATotalAndItsPartsAreNotCountedTwice) {
  RunBuilder run;
  run.requests(0.05, 100);
  declare(run, "cache_waiting", 2.0, {}, "app.cache");
  declare(run, "cache_waiting", 1.5, {{"kind", "read"}}, "app.cache");
  declare(run, "cache_waiting", 0.5, {{"kind", "write"}}, "app.cache");
  EXPECT_NEAR(ledger_of(run).ms_of("app.cache"), 20, 0.01);
}

TEST(Ledger, TwoPluginsThatSayTheSameSeriesAreCountedOnce) {
  RunBuilder run;
  run.requests(0.05, 100);
  declare(run, "sqlite_waiters", 2.0, {{"database", "a.db"}}, "database.sqlite_lock");
  store::SeriesData again = run.data().series.back();
  again.info.plugin = "another";
  run.data().series.push_back(again);
  EXPECT_NEAR(ledger_of(run).ms_of("database.sqlite_lock"), 20, 0.01);
}

TEST(Ledger, OfTwoSourcesForOneLineTheLargerSpeaks) {
  RunBuilder run;
  run.requests(0.05, 100).counter("target_cpu_seconds_total", 0.5);
  declare(run, "runtime_busy", 0.7, {}, "app.cpu");
  const Ledger ledger = ledger_of(run);
  EXPECT_NEAR(ledger.ms_of("app.cpu"), 7, 0.01);
  for (const LedgerLine& line : ledger.lines) {
    if (line.key == "app.cpu") {
      EXPECT_EQ(line.note, "also told as 5.0 ms (CPU); the larger is used");
    }
  }
}

TEST(Ledger, ResourcesOfOneNameAreToldApartAndTheFullOneIsQueuedFor) {
  RunBuilder run;
  run.requests(0.08, 100);
  for (const auto& [database, share] : {std::pair("a.db", 0.98), std::pair("b.db", 0.2)}) {
    run.gauge("sqlite_write_lock_ratio", share, {{"database", database}}, "ratio");
    run.last_series().resource = "SQLite's write lock";
  }
  facts::FactSet facts = facts::compute(run.data());
  const Ledger ledger = ledger_of(run, facts);
  // Of the eight in flight 0.98 have it.
  EXPECT_NEAR(ledger.ms_of("queue.sqlite_write_lock_ratio"), 70.2, 0.1);
  EXPECT_EQ(ledger.lines.front().label, "for SQLite's write lock (a.db)");
  EXPECT_NEAR(facts.value_or("ledger.queue.sqlite_write_lock_ratio", 0, {{"database", "a.db"}}),
              0.0702, 1e-4);
  EXPECT_EQ(facts.find("ledger.queue.sqlite_write_lock_ratio", {{"database", "b.db"}}), nullptr);
  EXPECT_EQ(facts.all("resource.utilisation").size(), 2u);
}

TEST(Ledger, DoesNotCountTheDatabaseAsADownstreamPeer) {
  RunBuilder run;
  run.requests(0.05, 100)
      .gauge("downstream_awaiting", 1, {{"peer", "127.0.0.1:5432"}})
      .gauge("downstream_awaiting", 3, {{"peer", "127.0.0.1:9000"}})
      .gauge("downstream_awaiting", 0, {{"peer", "127.0.0.1:9001"}})
      .gauge("pg_server", 1, {{"address", "127.0.0.1:5432"}});
  facts::FactSet facts = facts::compute(run.data());
  const Ledger ledger = ledger_of(run, facts);
  EXPECT_NEAR(ledger.ms_of("downstream.127.0.0.1:9000"), 30, 0.01);
  EXPECT_EQ(ledger.ms_of("downstream.127.0.0.1:5432"), 0);
  const auto known = [&](const char* peer) {
    return facts.value("ledger.downstream", {{"peer", peer}});
  };
  EXPECT_EQ(known("127.0.0.1:9001"), 0.0) << "a peer that answers at once is one";
  EXPECT_EQ(known("127.0.0.1:5432"), std::nullopt);
}

TEST(Ledger, SaysBetweenWhatADownstreamTimeLiesWhereTheKernelsClockIsTooCoarse) {
  const auto note_of = [](double low, double high) {
    RunBuilder run;
    const Labels peer = {{"peer", "127.0.0.1:9000"}};
    run.requests(0.05, 100).gauge("downstream_awaiting", 3, peer);
    run.gauge("downstream_awaiting_low", low, peer).gauge("downstream_awaiting_high", high, peer);
    for (const LedgerLine& line : ledger_of(run).lines)
      if (line.key == "downstream.127.0.0.1:9000") return line.note;
    return std::string("no such line");
  };
  EXPECT_EQ(note_of(2.9, 3.1), "");
  EXPECT_TRUE(note_of(2, 4).starts_with("between 20.0 ms and 40.0 ms")) << note_of(2, 4);
}

Ledger sliced_ledger_of(RunBuilder& run) {
  Ledger ledger = ledger_of(run);
  add_slices(run.data(), facts::steady_window(run.data()).value(), ledger);
  return ledger;
}

const LedgerLine& line_of(const Ledger& ledger, const std::string& key) {
  for (const LedgerLine& line : ledger.lines)
    if (line.key == key) return line;
  ADD_FAILURE() << "no line " << key;
  return ledger.lines.front();
}

TEST(LedgerOverTime, SaysBetweenWhatEachLineLies) {
  RunBuilder run;
  run.requests(0.05, 100)
      .counter("target_runqueue_seconds_total", 0.2)
      .counter_over_time("target_cpu_seconds_total",
                         {0, 0, 0.4, 0.6, 0.5, 0.5, 0.6, 0.4, 0.5, 0.5, 0.4, 0.6});
  const Ledger ledger = sliced_ledger_of(run);
  const LedgerLine& varying = line_of(ledger, "app.cpu");
  ASSERT_TRUE(varying.interval);
  EXPECT_LT(varying.interval->low, 5 - 0.3);
  EXPECT_GT(varying.interval->high, 5 + 0.3);
  const LedgerLine& constant = line_of(ledger, "app.runqueue");
  ASSERT_TRUE(constant.interval);
  EXPECT_NEAR(constant.interval->high - constant.interval->low, 0, 1e-6);
}

TEST(Ledger, TellsWhatIsStolenWhileThreadsRunAsFarAsItFitsIn) {
  const auto ledger_for = [](double response_s) {
    RunBuilder run;
    run.requests(response_s, 100)
        .counter("target_cpu_seconds_total", 0.4)
        .counter("pg_backend_cpu_seconds_total", 0.2)
        .counter("host_cpu_seconds_total", 0.8, {{"mode", "user"}})
        .counter("host_cpu_seconds_total", 5, {{"mode", "idle"}})
        .counter("host_cpu_seconds_total", 0.8, {{"mode", "steal"}});
    return ledger_of(run);
  };
  const Ledger roomy = ledger_for(0.03);
  EXPECT_NEAR(roomy.ms_of("app.stolen"), 4, 0.05);
  EXPECT_NEAR(roomy.ms_of("database.stolen"), 2, 0.05);
  const Ledger narrow = ledger_for(0.009);
  EXPECT_NEAR(narrow.ms_of("app.stolen"), 2, 0.1);
  EXPECT_NEAR(narrow.ms_of("database.stolen"), 1, 0.1);
  expect_it_closes(narrow);
}

TEST(LedgerOverTime, SlicesCloseEachForItself) {
  RunBuilder run;
  run.requests(0.05, 100).counter_over_time("target_cpu_seconds_total", {0, 0, 0.5, 1, 2});
  const Ledger ledger = sliced_ledger_of(run);
  ASSERT_EQ(ledger.slices.size(), 10u);
  EXPECT_NEAR(ledger.slices[0].ms.at("app.cpu"), 5, 1e-6);
  EXPECT_NEAR(ledger.slices[1].ms.at("app.cpu"), 10, 1e-6);
  for (const LedgerSlice& slice : ledger.slices) {
    double sum = 0;
    for (const auto& [key, ms] : slice.ms) sum += ms;
    EXPECT_NEAR(sum, slice.total_ms, 1e-6);
  }
}

TEST(LedgerOverTime, KnowsNoIntervalOfAWindowThatIsTooShort) {
  RunBuilder run;
  run.stages({{PLUMB_STAGE_STEADY, "steady", 0, 3 * RunBuilder::kSecond}}).requests(0.05, 100);
  const Ledger ledger = sliced_ledger_of(run);
  EXPECT_EQ(ledger.slices.size(), 3u);
  EXPECT_FALSE(ledger.lines.front().interval);
}

TEST(Ledger, TellsEndpointsApartAsFarAsTheClientCan) {
  RunBuilder run;
  run.requests(0.05, 100, "orders").requests(0.01, 100, "items");
  run.histogram("http_phase_seconds", 0.02, 100, {{"endpoint", "orders"}, {"phase", "connect"}});
  const std::vector<EndpointLedger> ledgers = endpoint_ledgers(facts::compute(run.data()));
  ASSERT_EQ(ledgers.size(), 2u);
  EXPECT_EQ(ledgers[0].endpoint, "items");
  EXPECT_NEAR(ledgers[0].total_ms, 10, 0.1);
  ASSERT_EQ(ledgers[1].lines.size(), 2u);
  EXPECT_EQ(ledgers[1].lines[0].key, "client.connect");
  EXPECT_NEAR(ledgers[1].lines[0].ms, 20, 0.2);
  EXPECT_EQ(ledgers[1].lines[1].key, "server");
  EXPECT_NEAR(ledgers[1].lines[1].ms, 30, 0.3);
}

}  // namespace
}  // namespace plumb::diagnose
