// The plugin, called through its C entry, against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "plugins/pg_stats/pg_stats_fixture.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class PgStats : public PgStatsFixture {};

TEST_F(PgStats, LockWaitersAreCountedAndTheirRootIsNamed) {
  const std::string dsn = make_database("locks");
  TestConnection root(dsn, "billing");
  root.run("CREATE TABLE accounts (id int PRIMARY KEY, v int)");
  root.run("INSERT INTO accounts VALUES (1, 0)");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();

  root.run("BEGIN");
  root.run("UPDATE accounts SET v = 4711 WHERE id = 1");
  TestConnection first(dsn, "orders");
  TestConnection second(dsn, "orders");
  first.send("UPDATE accounts SET v = 1 WHERE id = 1");
  second.send("UPDATE accounts SET v = 2 WHERE id = 1");
  ASSERT_TRUE(eventually([&] {
    run.collect();
    return run.last("pg_lock_waiters") == 2;
  }));
  EXPECT_EQ(run.last("pg_sessions{class=lock}"), 2);
  EXPECT_EQ(run.last("pg_sessions{class=idle_in_transaction}"), 1);
  EXPECT_EQ(run.last("pg_sessions{class=cpu}"), 0);
  // Roots are followed every five seconds at least: the last time may have been with one waiter.
  run.advance(5 * kSecondNs);
  ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  root.run("COMMIT");
  first.finish();
  second.finish();
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();

  ASSERT_TRUE(run.tables.contains("pg_blocking"));
  const auto& row = run.tables["pg_blocking"]["rows"].at(0);
  EXPECT_EQ(row.at(0), root.pid());
  EXPECT_EQ(row.at(1), "billing");
  EXPECT_EQ(row.at(2), "idle in transaction");
  EXPECT_EQ(row.at(3), "UPDATE accounts SET v = ? WHERE id = ?");
  EXPECT_THAT(row.at(4).get<std::string>(), Not(IsEmpty()));
  EXPECT_EQ(row.at(6), 2);
  EXPECT_GE(row.at(7).get<double>(), 2.0)
      << "two victims for a second and more of those that the clock went on";
  EXPECT_THAT(row.at(8).get<std::string>(), StartsWith("127.0.0.1:"));
  EXPECT_EQ(row.at(9), 2) << "the second waits behind the first";
  EXPECT_THAT(row.at(10).get<std::string>(), EndsWith("Lock on accounts"));
  const auto& waits = run.tables["pg_waits"]["rows"];
  ASSERT_FALSE(waits.empty());
  EXPECT_EQ(waits.at(0).at(1), "lock");
}

TEST_F(PgStats, GrowthOfStatementsAndTablesIsExact) {
  const std::string dsn = make_database("growth");
  TestConnection admin(dsn);
  // A session hands its counts over at the latest when it ends, which is after it hung up.
  const auto scans_are = [&](int scans) {
    return eventually([&] {
      return admin.run("SELECT pg_stat_get_numscans('big'::regclass)") == std::to_string(scans);
    });
  };
  {
    TestConnection before(dsn);
    before.run("CREATE TABLE big AS SELECT n AS id, n % 7 AS v FROM generate_series(1, 1000) n");
    before.run("SELECT count(*) FROM big WHERE v = 1");
  }
  ASSERT_TRUE(scans_are(1));
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn, "load");
    for (int i = 0; i < 37; ++i)
      load.run("SELECT count(*) FROM big WHERE v = " + std::to_string(i));
    load.run("ALTER TABLE big ALTER COLUMN v SET DEFAULT 4711");
  }
  ASSERT_TRUE(scans_are(38));
  for (int i = 0; i < 25; ++i) run.collect();
  run.advance(kSecondNs);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();

  std::string name;
  for (const std::string& series : run.series_with("pg_statement_calls_total{"))
    if (series.find("statement=SELECT count(*) FROM big") != std::string::npos) name = series;
  ASSERT_FALSE(name.empty());
  const auto& calls = run.samples[name];
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].value, 0);
  EXPECT_EQ(calls[1].value, 37);
  EXPECT_GE(calls[1].time_ns - calls[0].time_ns, kSecondNs);
  EXPECT_EQ(run.last("pg_table_seq_scans_total{table=big}"), 37);
  EXPECT_EQ(run.last("pg_table_seq_tuples_total{table=big}"), 37'000);
  EXPECT_GT(run.last("pg_table_bytes{table=big}"), 30'000);
  EXPECT_THAT(run.series_with("pg_statement_"), Each(Not(HasSubstr("pg_stat_get_activity"))))
      << "the sampler's own statements are left out";
  EXPECT_THAT(run.tables["pg_statements"].dump(),
              AllOf(Not(HasSubstr("4711")), HasSubstr("SET DEFAULT ?")));
  EXPECT_EQ(run.tables["pg_tables"]["rows"].at(0).at(0), "big");
  EXPECT_FALSE(run.tables["pg_settings"]["rows"].empty());
}

TEST_F(PgStats, ASecondSteadyStageGoesOnFromTheFirst) {
  const std::string dsn = make_database("stages");
  TestConnection load(dsn, "load");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  for (int stage = 0; stage < 2; ++stage) {
    ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
    for (int i = 0; i < 5; ++i) load.run("SELECT 'x'");
    run.advance(kSecondNs);
  }
  ASSERT_EQ(run.stop(), PLUMB_OK) << run.error();
  const auto names = run.series_with("pg_statement_calls_total{");
  ASSERT_EQ(names.size(), 1u);
  std::vector<double> values;
  for (const auto& s : run.samples[names[0]]) values.push_back(s.value);
  EXPECT_EQ(values, (std::vector<double>{0, 5, 5, 10}));
}

TEST_F(PgStats, FailuresToConnectSayWhatToDoWithoutThePassword) {
  PluginRecorder wrong(plumb_plugin_entry_v1());
  EXPECT_EQ(wrong.configure({{"dsn", cluster_->dsn("postgres", "postgres", "hunter2")}}),
            PLUMB_PERMISSION_DENIED);
  EXPECT_THAT(wrong.error(), AllOf(HasSubstr("refused the password of user \"postgres\""),
                                   Not(HasSubstr("hunter2"))));
  PluginRecorder missing(plumb_plugin_entry_v1());
  EXPECT_EQ(missing.configure({{"dsn", cluster_->dsn("nowhere")}}), PLUMB_NOT_FOUND);
  EXPECT_THAT(missing.error(), HasSubstr("no database \"nowhere\""));
  PluginRecorder refused(plumb_plugin_entry_v1());
  EXPECT_EQ(refused.configure({{"dsn", "postgresql://app:hunter2@127.0.0.1:1/shop"}}),
            PLUMB_UNAVAILABLE);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr("127.0.0.1:1"), Not(HasSubstr("hunter2"))));
}

TEST_F(PgStats, WhatIsMissingIsSaidWithTheCommandThatMendsIt) {
  const std::string dsn = make_database("bare", false);
  TestConnection admin(dsn);
  admin.run("CREATE ROLE watcher LOGIN PASSWORD 'watching'");
  {
    PluginRecorder run(plumb_plugin_entry_v1());
    begin(run, cluster_->dsn("bare", "watcher", "watching"));
    ASSERT_FALSE(run.health.empty());
    EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
    EXPECT_THAT(run.health.back().second, AllOf(HasSubstr("GRANT pg_monitor TO \"watcher\""),
                                                HasSubstr("CREATE EXTENSION pg_stat_statements")));
    EXPECT_EQ(run.last("pg_client_connections"), 1) << "hidden sessions are counted";
    ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
    ASSERT_EQ(run.stop(), PLUMB_OK) << run.error();
  }
  admin.run("GRANT pg_monitor TO watcher");
  admin.run("CREATE EXTENSION pg_stat_statements");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn("bare", "watcher", "watching"));
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  ASSERT_EQ(run.stop(), PLUMB_OK) << run.error();
  ASSERT_FALSE(run.health.empty());
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
}

TEST_F(PgStats, TheSessionCannotWrite) {
  const Result<Dsn> dsn =
      Dsn::parse(cluster_->dsn() + "?options=-c%20default_transaction_read_only%3Doff");
  ASSERT_TRUE(dsn.is_ok());
  const std::atomic<bool> interrupted{false};
  Session session(*dsn, std::chrono::seconds(1), interrupted);
  session.end_by(Session::Clock::now() + std::chrono::seconds(30));
  ASSERT_TRUE(session.connect().is_ok());
  const auto made = session.query("CREATE TABLE written (a int)");
  ASSERT_FALSE(made.is_ok());
  EXPECT_THAT(made.status().message(), HasSubstr("read-only"));
  EXPECT_TRUE(session.alive());
  EXPECT_EQ(session.query("SELECT pg_sleep(20)").status().code(), PLUMB_DEADLINE_EXCEEDED);
  EXPECT_TRUE(session.alive());
}

TEST_F(PgStats, OneRowOfSamplesPerTickAndCountersOncePerSecond) {
  const std::string dsn = make_database("ticks");
  TestConnection client(dsn);
  PluginRecorder run(plumb_plugin_entry_v1());
  run.freeze();
  begin(run, dsn);
  for (int i = 0; i < 19; ++i) {
    run.advance(100'000'000);
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  }
  EXPECT_EQ(run.series_with("pg_sessions{").size(), 11u);
  for (const std::string& name : run.series_with("pg_sessions{"))
    EXPECT_EQ(run.samples[name].size(), 20u) << name;
  EXPECT_EQ(run.last("pg_sessions{class=idle}"), 1) << "the sampler itself is left out";
  for (const char* name :
       {"pg_active_seconds_total", "pg_idle_in_transaction_seconds_total", "pg_commits_total",
        "pg_rollbacks_total", "pg_deadlocks_total", "pg_sessions_total", "pg_blocks_hit_total",
        "pg_blocks_read_total", "pg_temp_bytes_total", "pg_tuples_returned_total",
        "pg_tuples_fetched_total", "pg_wal_bytes_total", "pg_wal_syncs_total",
        "pg_client_connections", "pg_max_connections", "pg_backend_cpu_seconds_total",
        "pg_backend_runqueue_seconds_total", "pg_sampler_cpu_seconds_total"}) {
    EXPECT_EQ(run.samples[name].size(), 2u) << name;
  }
  EXPECT_EQ(run.last("pg_client_connections"), 1);
  EXPECT_EQ(run.last("pg_server{address=127.0.0.1:" + std::to_string(cluster_->port()) + "}"), 1);
  EXPECT_EQ(run.last("pg_max_connections"), 150);
  EXPECT_GT(run.last("pg_sampler_cpu_seconds_total"), 0);
}

TEST_F(PgStats, ProcessorTimeOfBackendsIsReadOnlyWhereTheServerIsLocal) {
  PluginRecorder socket(plumb_plugin_entry_v1());
  begin(socket, cluster_->socket_dsn());
  EXPECT_EQ(socket.samples.count("pg_backend_cpu_seconds_total"), 1u);
  PluginRecorder remote(plumb_plugin_entry_v1());
  ASSERT_EQ(remote.configure({{"dsn", cluster_->dsn()}, {"local", "no"}}), PLUMB_OK);
  ASSERT_EQ(remote.start(), PLUMB_OK);
  ASSERT_EQ(remote.collect(), PLUMB_OK);
  EXPECT_EQ(remote.samples.count("pg_backend_cpu_seconds_total"), 0u);
  EXPECT_EQ(remote.samples.count("pg_commits_total"), 1u);
}

TEST_F(PgStats, AnInterruptEndsACollectWhoseServerHangs) {
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn());
  TestConnection admin(cluster_->dsn());
  const int sampler =
      std::stoi(admin.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'plumb'"));
  ASSERT_EQ(::kill(sampler, SIGSTOP), 0);
  run.interrupt();
  EXPECT_EQ(run.collect(), PLUMB_OK);
  ASSERT_EQ(::kill(sampler, SIGCONT), 0);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK));
  EXPECT_EQ(run.stop(), PLUMB_OK);
  EXPECT_EQ(run.stop(), PLUMB_OK) << "stop is idempotent";
}

TEST_F(PgStats, TheRunGoesOnWhenTheServerCrashesAndComesBack) {
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn());
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  ASSERT_TRUE(cluster_->crash().is_ok());
  EXPECT_EQ(run.collect(), PLUMB_OK) << run.error();
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(run.health.back().second, HasSubstr("lost"));
  EXPECT_EQ(run.collect(), PLUMB_OK) << run.error();
  EXPECT_THAT(run.health.back().second, HasSubstr("nothing listens at 127.0.0.1"));
  const size_t ticks = run.samples["pg_lock_waiters"].size();

  ASSERT_TRUE(cluster_->start().is_ok());
  ASSERT_TRUE(eventually([&] {
    run.advance(kSecondNs);
    run.collect();
    return run.health.back().first == PLUMB_HEALTH_OK;
  })) << run.health.back().second;
  ASSERT_EQ(run.events.size(), 3u);
  EXPECT_EQ(run.events[0].first, "database-lost");
  EXPECT_EQ(run.events[1].first, "database-restarted");
  EXPECT_EQ(run.events[2].first, "database-back");
  EXPECT_GT(run.samples["pg_lock_waiters"].size(), ticks);
  run.advance(kSecondNs);
  EXPECT_EQ(run.collect(), PLUMB_OK) << run.error();
  EXPECT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_EQ(run.stop(), PLUMB_OK) << run.error();
  for (const auto& [name, list] : run.samples) {
    if (name.find("_total") == std::string::npos) continue;
    for (size_t i = 1; i < list.size(); ++i) EXPECT_GE(list[i].value, list[i - 1].value) << name;
  }
}

TEST_F(PgStats, StopWithoutStartIsLegal) {
  PluginRecorder configured(plumb_plugin_entry_v1());
  ASSERT_EQ(configured.configure({{"dsn", cluster_->dsn()}}), PLUMB_OK);
  EXPECT_EQ(configured.stop(), PLUMB_OK);
  PluginRecorder created(plumb_plugin_entry_v1());
  EXPECT_EQ(created.stop(), PLUMB_OK);
}

}  // namespace
}  // namespace plumb::pg_stats
