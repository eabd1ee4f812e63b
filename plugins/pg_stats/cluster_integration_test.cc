// What the plugin says of the cluster, its set-up and its catalog, against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "plugins/pg_stats/pg_stats_fixture.h"
#include "plugins/pg_stats/suspects.h"

namespace plumb::pg_stats {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PgCluster : public PgStatsFixture {};

using nlohmann::json;

// The first row whose cell in `column` is `value`; null when there is none.
json row_where(const json& table, const char* column, const std::string& value) {
  size_t at = 0;
  while (at < table["columns"].size() && table["columns"][at]["key"] != column) ++at;
  for (const json& row : table["rows"])
    if (at < row.size() && row[at] == value) return row;
  return nullptr;
}

json cell_of(const json& table, const json& row, const char* column) {
  for (size_t i = 0; i < table["columns"].size(); ++i)
    if (table["columns"][i]["key"] == column && i < row.size()) return row[i];
  return nullptr;
}

TEST_F(PgCluster, BusyConnectionsAreCountedByClientAddress) {
  const std::string dsn = make_database("busy");
  TestConnection idle(dsn);
  TestConnection in_transaction(dsn);
  in_transaction.run("BEGIN");
  in_transaction.run("SELECT 1");
  TestConnection active(dsn);
  active.send("SELECT pg_sleep(20)");
  TestConnection local(cluster_->socket_dsn("busy"));
  local.send("SELECT pg_sleep(20)");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_TRUE(eventually([&] {
    run.collect();
    return run.last("pg_busy_connections") == 3;
  })) << run.last("pg_busy_connections");
  EXPECT_EQ(run.last("pg_busy_connections{client=127.0.0.1}"), 2);
  EXPECT_EQ(run.last("pg_busy_connections{client=local}"), 1);
  in_transaction.run("COMMIT");
  run.collect();
  EXPECT_EQ(run.last("pg_busy_connections{client=127.0.0.1}"), 1);
  cancel(active);
  cancel(local);
  ASSERT_TRUE(eventually([&] {
    run.collect();
    return run.last("pg_busy_connections") == 0;
  }));
  EXPECT_EQ(run.last("pg_busy_connections{client=local}"), 0) << "zero, not silent";
}

TEST_F(PgCluster, SkippingIdleSessionsCountsThemAllTheSame) {
  const std::string dsn = make_database("idle");
  std::vector<std::unique_ptr<TestConnection>> idle;
  for (int i = 0; i < 12; ++i) idle.push_back(std::make_unique<TestConnection>(dsn));
  TestConnection busy(dsn);
  busy.send("SELECT pg_sleep(20)");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_TRUE(eventually([&] {
    run.collect();
    return run.last("pg_sessions{class=sleep}") == 1 && run.last("pg_sessions{class=idle}") == 12;
  })) << run.last("pg_sessions{class=idle}");
  // One reading that looked at everyone, then those that look at the busy only.
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
    EXPECT_EQ(run.last("pg_sessions{class=idle}"), 12);
    EXPECT_EQ(run.last("pg_sessions{class=sleep}"), 1);
    EXPECT_EQ(run.last("pg_busy_connections{client=127.0.0.1}"), 1);
  }
  cancel(busy);
}

TEST_F(PgCluster, AMissingIndexIsProvedByAPlanWithoutValues) {
  const std::string dsn = make_database("plans");
  TestConnection admin(dsn);
  admin.run("CREATE SCHEMA shop");
  admin.run(
      "CREATE TABLE shop.orders AS SELECT n AS id, n % 1000 AS customer, 'open' AS state"
      " FROM generate_series(1, 50000) n");
  admin.run("ANALYZE shop.orders");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn, "shop");
    load.run("SET search_path = shop");
    for (int i = 0; i < 20; ++i)
      load.run("SELECT count(*) FROM orders WHERE customer = " + std::to_string(4711 + i) +
               " AND state <> 'hunter2'");
  }
  ASSERT_TRUE(eventually([&] {
    return admin.run("SELECT pg_stat_get_numscans('shop.orders'::regclass) >= 20") == "t";
  }));
  run.advance(9 * kSecondNs);  // the last fifth of a stage of ten seconds
  for (int i = 0; i < 5; ++i) ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  ASSERT_TRUE(run.tables.contains("pg_plans")) << "before the stage ends";
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();

  const json& plans = run.tables["pg_plans"];
  ASSERT_EQ(plans["rows"].size(), 1u);
  const json& row = plans["rows"][0];
  EXPECT_EQ(cell_of(plans, row, "table"), "shop.orders");
  EXPECT_EQ(cell_of(plans, row, "seq_scanned"), "orders");
  EXPECT_GT(cell_of(plans, row, "cost").get<double>(), 500);
  EXPECT_THAT(cell_of(plans, row, "plan").get<std::string>(),
              AllOf(HasSubstr("Seq Scan on orders"), HasSubstr("Filter: "), HasSubstr("$1")));
  EXPECT_THAT(plans.dump(), AllOf(Not(HasSubstr("4711")), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(admin.run("SELECT count(*) FROM pg_prepared_statements"), "0");
  const json& tables = run.tables["pg_tables"];
  EXPECT_EQ(cell_of(tables, row_where(tables, "table", "shop.orders"), "queries"),
            cell_of(plans, row, "query"));
}

TEST_F(PgCluster, AnUpdateIsPlannedAndNotExecuted) {
  const std::string dsn = make_database("updates");
  TestConnection admin(dsn);
  admin.run("CREATE TABLE stock AS SELECT n AS id, 0 AS v FROM generate_series(1, 30000) n");
  admin.run("ANALYZE stock");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn, "shop");
    for (int i = 1; i <= 3; ++i) load.run("UPDATE stock SET v = v + 7 WHERE id = 5");
  }
  ASSERT_TRUE(eventually(
      [&] { return admin.run("SELECT pg_stat_get_numscans('stock'::regclass) >= 3") == "t"; }));
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  ASSERT_TRUE(run.tables.contains("pg_plans"));
  EXPECT_THAT(run.tables["pg_plans"].dump(),
              AllOf(HasSubstr("ModifyTable on stock"), HasSubstr("Seq Scan on stock")));
  EXPECT_EQ(admin.run("SELECT v FROM stock WHERE id = 5"), "21") << "three times by the load";
}

TEST_F(PgCluster, IndexesThatNobodyNeedsAreNamed) {
  const std::string dsn = make_database("indexes");
  TestConnection admin(dsn);
  admin.run("CREATE TABLE t AS SELECT n AS a, n AS b, n AS c FROM generate_series(1, 20000) n");
  admin.run("ALTER TABLE t ADD PRIMARY KEY (a)");
  admin.run("CREATE INDEX t_b ON t (b)");
  admin.run("CREATE INDEX t_b_again ON t (b)");
  admin.run("CREATE INDEX t_bc ON t (b, c)");
  admin.run("CREATE INDEX t_b_down ON t (b DESC)");
  admin.run("CREATE INDEX t_c_some ON t (c) WHERE a > 10");
  admin.run("CREATE UNIQUE INDEX t_c ON t (c)");
  admin.run("ANALYZE t");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  for (int i = 0; i < 40 && !run.tables.contains("pg_indexes"); ++i) {
    run.advance(kSecondNs);
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  }
  ASSERT_TRUE(run.tables.contains("pg_indexes"));
  std::map<std::string, std::string> found;
  for (const json& row : run.tables["pg_indexes"]["rows"])
    found[row[0].get<std::string>()] = row[4].get<std::string>();
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"t_b", "redundant prefix of t_bc"},
                                                       {"t_b_again", "duplicate of t_b"},
                                                       {"t_bc", "unused"},
                                                       {"t_b_down", "unused"},
                                                       {"t_c_some", "unused"}}));
}

TEST_F(PgCluster, SettingsAreTheServersAndJudged) {
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn());
  const json& settings = run.tables["pg_settings"];
  const json fsync = row_where(settings, "setting", "fsync");
  EXPECT_EQ(cell_of(settings, fsync, "value"), "off");
  EXPECT_EQ(cell_of(settings, fsync, "default"), "no");
  EXPECT_THAT(cell_of(settings, fsync, "remark").get<std::string>(),
              HasSubstr("loses or corrupts"));
  EXPECT_EQ(cell_of(settings, row_where(settings, "setting", "work_mem"), "means"), "4 MB")
      << "the server's, not the sampler's own session's";
  EXPECT_EQ(cell_of(settings, row_where(settings, "setting", "jit"), "value"), "on");
  EXPECT_EQ(cell_of(settings, row_where(settings, "setting", "plumb: sampling"), "value"),
            "at every tick");
  bool defaults = false;
  for (const json& row : settings["rows"]) {
    const json is_default = cell_of(settings, row, "default");
    defaults = defaults || is_default == "yes";
    EXPECT_FALSE(defaults && is_default == "no") << row << " was set, and stands behind a default";
  }
}

TEST_F(PgCluster, TheClustersHealthHasItsSeries) {
  const std::string dsn = make_database("health");
  {
    TestConnection writer(dsn);
    writer.run("CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 5000) n");
    writer.run("DELETE FROM t WHERE a % 2 = 0");
  }
  TestConnection admin(dsn, "holder");
  ASSERT_TRUE(eventually(
      [&] { return admin.run("SELECT pg_stat_get_dead_tuples('t'::regclass)") == "2500"; }));
  admin.run("BEGIN");
  admin.run("SELECT 1");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  for (int i = 0; i < 40; ++i) {
    run.advance(kSecondNs);
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  }
  for (const char* name :
       {"pg_checkpoints_timed_total", "pg_checkpoints_requested_total",
        "pg_checkpoint_write_seconds_total", "pg_checkpoint_sync_seconds_total",
        "pg_buffers_checkpoint_total", "pg_buffers_allocated_total", "pg_wraparound_ratio",
        "pg_tables_being_vacuumed", "pg_database_bytes", "pg_temp_files_total",
        "pg_conflicts_total", "pg_autovacuum_workers", "pg_connections_used_ratio",
        "pg_longest_transaction_seconds", "pg_sampling_rate", "pg_wal_records_total"}) {
    EXPECT_TRUE(run.samples.contains(name)) << name;
  }
  EXPECT_FALSE(run.samples.contains("pg_io_read_seconds_total")) << "track_io_timing is off";
  EXPECT_THAT(run.series_with("pg_replication_lag"), IsEmpty());
  EXPECT_GT(run.last("pg_database_bytes"), 1e6);
  EXPECT_GT(run.last("pg_connections_used_ratio"), 0);
  EXPECT_LT(run.last("pg_connections_used_ratio"), 1);
  EXPECT_NEAR(run.last("pg_sampling_rate"), 1, 0.1) << "a tick a second";
  EXPECT_GE(run.last("pg_longest_transaction_seconds"), 0);

  const json& connections = run.tables["pg_connections"];
  const json holder = row_where(connections, "application", "holder");
  EXPECT_EQ(cell_of(connections, holder, "state"), "idle in transaction");
  EXPECT_EQ(cell_of(connections, holder, "count"), 1);
  EXPECT_TRUE(cell_of(connections, holder, "transaction").is_number());
  admin.run("COMMIT");

  const json& debt = run.tables["pg_vacuum_debt"];
  const json t = row_where(debt, "table", "t");
  ASSERT_FALSE(t.is_null()) << debt.dump();
  EXPECT_EQ(cell_of(debt, t, "dead"), 2500);
  EXPECT_EQ(cell_of(debt, t, "dead_ratio"), 0.5);
  EXPECT_TRUE(cell_of(debt, t, "vacuumed").is_null()) << "never";
}

TEST_F(PgCluster, WhatIsMissingHasATableWithItsRemedy) {
  make_database("lacking", false);
  TestConnection(cluster_->dsn()).run("CREATE ROLE lacking LOGIN PASSWORD 'lacking'");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn("lacking", "lacking", "lacking"));
  const json& missing = run.tables["pg_missing"];
  std::vector<std::string> how;
  for (const json& row : missing["rows"]) how.push_back(row[2].get<std::string>());
  EXPECT_THAT(how, Contains(HasSubstr("GRANT pg_monitor TO \"lacking\"")));
  EXPECT_THAT(how, Contains(HasSubstr("CREATE EXTENSION pg_stat_statements")));
  EXPECT_THAT(how, Contains(HasSubstr("track_io_timing = on")));
  EXPECT_THAT(how, Contains(HasSubstr("pg_read_all_data")));
  for (int i = 0; i < 30; ++i) {
    run.advance(kSecondNs);
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  }
  EXPECT_THAT(run.health.back().second, Not(HasSubstr("failed"))) << "no reading fails for it";
}

TEST_F(PgCluster, PlansOverTablesThatTheRoleMayNotReadSayWhatToGrant) {
  const std::string dsn = make_database("guarded");
  TestConnection admin(dsn);
  admin.run("CREATE ROLE guard LOGIN PASSWORD 'guard' IN ROLE pg_monitor");
  admin.run("CREATE TABLE big AS SELECT n AS id FROM generate_series(1, 50000) n");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, cluster_->dsn("guarded", "guard", "guard"));
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn);
    for (int i = 0; i < 3; ++i) load.run("SELECT count(*) FROM big WHERE id = 7");
  }
  ASSERT_TRUE(eventually(
      [&] { return admin.run("SELECT pg_stat_get_numscans('big'::regclass) >= 3") == "t"; }));
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  ASSERT_TRUE(run.tables.contains("pg_plans"));
  EXPECT_THAT(run.tables["pg_plans"].dump(), HasSubstr("GRANT pg_read_all_data"));
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
}

}  // namespace
}  // namespace plumb::pg_stats
