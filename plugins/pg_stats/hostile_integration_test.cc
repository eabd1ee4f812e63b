// What may happen to a server under a run: the plugin goes on, tells it, and stays cheap.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/pg_stats_fixture.h"

namespace plumb::pg_stats {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int64_t kTickNs = kSecondNs / 10;

class PgHostile : public PgStatsFixture {
 protected:
  static void tick(PluginRecorder& run, int ticks, int64_t each_ns = kTickNs) {
    for (int i = 0; i < ticks; ++i) {
      run.advance(each_ns);
      ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
    }
  }
  static void expect_totals_never_fall(const PluginRecorder& run) {
    for (const auto& [name, list] : run.samples) {
      if (name.find("_total") == std::string::npos) continue;
      for (size_t i = 1; i < list.size(); ++i) EXPECT_GE(list[i].value, list[i - 1].value) << name;
    }
  }
  static int times(const PluginRecorder& run, const std::string& kind) {
    int count = 0;
    for (const auto& event : run.events) count += event.first == kind ? 1 : 0;
    return count;
  }
};

TEST_F(PgHostile, SamplingSlowsDownPastTheBudgetAndSaysSo) {
  const std::string dsn = make_database("budget");
  TestConnection idle(dsn);
  PluginRecorder run(plumb_plugin_entry_v1());
  ASSERT_EQ(run.configure({{"dsn", dsn}}, {{"budget", 0.0001}}), PLUMB_OK) << run.error();
  ASSERT_EQ(run.start(), PLUMB_OK) << run.error();
  tick(run, 200);
  EXPECT_GE(times(run, "sampling-slowed"), 1);
  EXPECT_THAT(run.events.front().second, HasSubstr("of one core inside PostgreSQL"));
  EXPECT_THAT(run.tables["pg_settings"].dump(), HasSubstr("at one tick in"));
  const double rate = run.last("pg_sampling_rate");
  EXPECT_LT(rate, 9);
  EXPECT_GE(rate, 0.9) << "once a second at the least";
  EXPECT_EQ(run.samples["pg_sessions{class=idle}"].size(), 200u)
      << "what was seen last stands for the ticks between";
  EXPECT_EQ(run.last("pg_sessions{class=idle}"), 1);
}

TEST_F(PgHostile, ARemoteServersCostIsBoundedByItsAnswers) {
  const std::string dsn = make_database("remote");
  PluginRecorder run(plumb_plugin_entry_v1());
  ASSERT_EQ(run.configure({{"dsn", dsn}, {"local", "no"}}, {{"budget", 0.0001}}), PLUMB_OK);
  ASSERT_EQ(run.start(), PLUMB_OK) << run.error();
  tick(run, 200);
  EXPECT_FALSE(run.samples.contains("pg_sampler_cpu_seconds_total"));
  EXPECT_GT(run.last("pg_sampler_waited_seconds_total"), 0);
  ASSERT_GE(times(run, "sampling-slowed"), 1);
  EXPECT_THAT(run.events.front().second, HasSubstr("at most"));
}

TEST_F(PgHostile, StatisticsThatSomebodyResetsAreTold) {
  const std::string dsn = make_database("reset");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn);
    for (int i = 0; i < 20; ++i) load.run("SELECT count(*) FROM pg_class");
  }
  tick(run, 20);
  TestConnection admin(dsn);
  admin.run("SELECT pg_stat_reset()");
  admin.run("SELECT pg_stat_statements_reset()");
  ASSERT_TRUE(eventually([&] {
    tick(run, 5, kSecondNs);
    return times(run, "statistics-reset") >= 2;
  })) << "the database's and those of statements";
  tick(run, 60);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_EQ(times(run, "statistics-reset"), 2) << "each once";
  expect_totals_never_fall(run);
}

TEST_F(PgHostile, ADroppedDatabaseIsTheEndOfWhatCanBeSeenUntilItIsBack) {
  const std::string dsn = make_database("dropped");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  TestConnection admin(cluster_->dsn());
  ASSERT_EQ(admin.run("DROP DATABASE dropped WITH (FORCE)"), "");
  tick(run, 3, kSecondNs);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(run.health.back().second, HasSubstr("no database \"dropped\""));
  EXPECT_EQ(times(run, "database-lost"), 1);
  make_database("dropped");
  ASSERT_TRUE(eventually([&] {
    tick(run, 1, kSecondNs);
    return run.health.back().first == PLUMB_HEALTH_OK;
  })) << run.health.back().second;
  tick(run, 20);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_EQ(run.stop(), PLUMB_OK) << run.error();
  expect_totals_never_fall(run);
}

TEST_F(PgHostile, AStoppedServerIsWaitedFor) {
  auto own = PostgresCluster::create();
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, (*own)->dsn());
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  ASSERT_TRUE((*own)->stop().is_ok());
  tick(run, 3, kSecondNs);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << "a stage may end in the dark";
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << "and another begin";
  ASSERT_TRUE((*own)->start().is_ok());
  ASSERT_TRUE(eventually([&] {
    tick(run, 1, kSecondNs);
    return run.health.back().first == PLUMB_HEALTH_OK;
  })) << run.health.back().second;
  EXPECT_EQ(times(run, "database-restarted"), 1);
  tick(run, 20);
  EXPECT_EQ(run.stop(), PLUMB_OK) << run.error();
  expect_totals_never_fall(run);
}

TEST_F(PgHostile, AStandbyIsSeenFromBothSidesAndItsPromotionIsTold) {
  auto primary = PostgresCluster::create();
  ASSERT_TRUE(primary.is_ok()) << primary.status().message();
  auto standby = PostgresCluster::standby_of(**primary);
  ASSERT_TRUE(standby.is_ok()) << standby.status().message();
  PluginRecorder above(plumb_plugin_entry_v1());
  PluginRecorder below(plumb_plugin_entry_v1());
  begin(above, (*primary)->dsn());
  begin(below, (*standby)->dsn());
  ASSERT_EQ(below.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << below.error();
  TestConnection writer((*primary)->dsn());
  const auto lag = [&] {
    tick(above, 2, kSecondNs);
    tick(below, 2, kSecondNs);
    return above.last("pg_replication_lag_bytes{application=standby}");
  };
  // Until something was replayed, nobody knows how old it is.
  writer.run("CREATE TABLE first (a int)");
  ASSERT_TRUE(eventually([&] {
    return lag() == 0 && below.last("pg_standby_lag_bytes") == 0 &&
           below.last("pg_standby_lag_seconds") == 0;
  })) << lag();

  TestConnection pause((*standby)->dsn());
  pause.run("SELECT pg_wal_replay_pause()");
  writer.run("CREATE TABLE t AS SELECT n FROM generate_series(1, 20000) n");
  ASSERT_TRUE(eventually([&] { return lag() > 100'000; })) << lag();
  ASSERT_TRUE(
      eventually([&] { return lag() > 0 && below.last("pg_standby_lag_bytes") > 100'000; }));
  EXPECT_GE(below.last("pg_standby_lag_seconds"), 0);

  pause.run("SELECT pg_wal_replay_resume()");
  ASSERT_EQ(pause.run("SELECT pg_promote()"), "t");
  ASSERT_TRUE(eventually([&] {
    tick(below, 1, kSecondNs);
    return times(below, "database-role-changed") == 1;
  }));
  tick(below, 20);
  ASSERT_EQ(below.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << below.error();
  EXPECT_EQ(below.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << below.health.back().second;
  expect_totals_never_fall(below);
}

TEST_F(PgHostile, NoConnectionLeftIsSaidAndSurvived) {
  const std::string dsn = make_database("crowded");
  TestConnection admin(dsn);
  admin.run("CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1 IN ROLE pg_monitor");
  const std::string narrow = cluster_->dsn("crowded", "narrow", "narrow");
  {
    TestConnection first(narrow);
    ASSERT_TRUE(first.ok());
    PluginRecorder refused(plumb_plugin_entry_v1());
    EXPECT_EQ(refused.configure({{"dsn", narrow}}), PLUMB_UNAVAILABLE);
    EXPECT_THAT(refused.error(), HasSubstr("no connection left"));
  }
  ASSERT_TRUE(eventually([&] {
    return admin.run("SELECT count(*) FROM pg_stat_activity WHERE usename = 'narrow'") == "0";
  }));
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, narrow);
  admin.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'narrow'");
  std::unique_ptr<TestConnection> thief;
  ASSERT_TRUE(eventually([&] {
    thief = std::make_unique<TestConnection>(narrow);
    return thief->ok();
  }));
  tick(run, 3, kSecondNs);
  EXPECT_THAT(run.health.back(),
              Pair(static_cast<uint32_t>(PLUMB_HEALTH_DARK), HasSubstr("no connection left")));
  thief.reset();
  ASSERT_TRUE(eventually([&] {
    tick(run, 1, kSecondNs);
    return run.health.back().first == PLUMB_HEALTH_OK;
  })) << run.health.back().second;
}

TEST_F(PgHostile, WhatWaitsForALockIsGivenUpAndTheRestGoesOn) {
  const std::string dsn = make_database("locked");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  tick(run, 3);
  TestConnection vandal(dsn);
  vandal.run("BEGIN");
  vandal.run("LOCK TABLE pg_catalog.pg_class, pg_catalog.pg_index IN ACCESS EXCLUSIVE MODE");
  const size_t before = run.samples["pg_lock_waiters"].size();
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  tick(run, 5);
  EXPECT_EQ(run.samples["pg_lock_waiters"].size(), before + 5);
  EXPECT_EQ(run.last("pg_sessions{class=idle_in_transaction}"), 1);
  EXPECT_FALSE(run.logs.empty()) << "that it was too slow is logged";
  vandal.run("ROLLBACK");
  tick(run, 20, kSecondNs);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
}

TEST_F(PgHostile, AFullListOfStatementsIsTold) {
  PostgresCluster::Options options;
  options.settings = {{"pg_stat_statements.max", "100"}};
  auto own = PostgresCluster::create(options);
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  TestConnection admin((*own)->dsn());
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, (*own)->dsn());
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  for (int i = 0; i < 300; ++i) {
    std::string columns = "1";
    for (int c = 0; c < i; ++c) columns += ",1";
    admin.run("SELECT " + columns);
  }
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_THAT(run.events,
              Contains(Pair("statements-dropped", HasSubstr("raise pg_stat_statements.max"))));
}

// What it costs a backend to read both catalogs once, on this machine as fast as it is just now.
double processor_seconds_of_a_whole_reading(const std::string& dsn) {
  constexpr int kReadings = 5;
  TestConnection reader(dsn);
  const auto read = [&] {
    EXPECT_GE(std::stoll(reader.run("SELECT sum(calls) FROM pg_stat_statements")), 5000);
    EXPECT_GE(std::stoll(reader.run("SELECT count(seq_scan) FROM pg_stat_user_tables")), 10'000);
  };
  const std::vector<int> backend = {reader.pid()};
  BackendTimes times{proc::Root()};
  read();
  times.update(backend);
  for (int i = 0; i < kReadings; ++i) read();
  times.update(backend);
  return times.cpu_seconds() / kReadings;
}

// Ten thousand tables and five thousand statements: a minute of the host's clock. Processors are
// not equally fast at all times, so the sampler's own backend is held against one that reads.
TEST_F(PgHostile, ALargeCatalogStaysWithinTheBudget) {
  PostgresCluster::Options options;
  options.settings = {{"pg_stat_statements.max", "10000"}, {"autovacuum", "off"}};
  auto own = PostgresCluster::create(options);
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  const std::string dsn = (*own)->dsn();
  {
    TestConnection maker(dsn);
    ASSERT_EQ(maker.run("CREATE SCHEMA many"), "");
    for (int batch = 0; batch < 10; ++batch)
      ASSERT_EQ(maker.run("DO $$ BEGIN FOR i IN " + std::to_string(batch * 1000 + 1) + ".." +
                          std::to_string(batch * 1000 + 1000) +
                          " LOOP EXECUTE format('CREATE TABLE many.t%s (id int PRIMARY KEY)', i);"
                          " END LOOP; END $$"),
                "");
    for (int batch = 0; batch < 50; ++batch) {
      std::string sql;
      for (int i = 1; i <= 100; ++i)
        sql += "SELECT id FROM many.t" + std::to_string(batch * 100 + i) + ";";
      maker.run(sql);
    }
    ASSERT_GE(std::stoi(maker.run("SELECT count(*) FROM pg_stat_statements")), 5000);
  }
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  tick(run, 600);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  tick(run, 11);
  const auto& cpu = run.samples["pg_sampler_cpu_seconds_total"];
  ASSERT_GE(cpu.size(), 2u);
  const double used = cpu.back().value - cpu.front().value;
  const double reading = processor_seconds_of_a_whole_reading(dsn);
  std::cout << "a minute: " << used << " s, a whole reading: " << reading << " s\n";
  EXPECT_GT(used, 0);
  // About nine; both once a second would be sixty.
  EXPECT_LT(used, 15 * reading);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
  EXPECT_TRUE(run.tables.contains("pg_statements"));
  EXPECT_TRUE(run.tables.contains("pg_tables"));
}

}  // namespace
}  // namespace plumb::pg_stats
