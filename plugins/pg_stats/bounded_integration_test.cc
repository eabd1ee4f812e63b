// No call of the plugin is held up by a server for as long as the engine would take for hung, and
// what a change of servers does to counters is told as what it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "plugins/pg_stats/pg_stats_fixture.h"
#include "plugins/pg_stats/test_proxy.h"

namespace plumb::pg_stats {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

using Milliseconds = std::chrono::milliseconds;

// What the engine grants.
constexpr Milliseconds kCollectLimit(2000);
constexpr Milliseconds kStageLimit(10'000);

// A process that is stopped for as long as this lives.
class Frozen {
 public:
  explicit Frozen(int pid) : pid_(pid) { EXPECT_EQ(::kill(pid_, SIGSTOP), 0); }
  ~Frozen() { ::kill(pid_, SIGCONT); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  int pid_;
};

Milliseconds time_of(const std::function<void()>& call) {
  const auto begun = std::chrono::steady_clock::now();
  call();
  return std::chrono::ceil<Milliseconds>(std::chrono::steady_clock::now() - begun);
}

class PgBounded : public PgStatsFixture {
 protected:
  static Milliseconds collect(PluginRecorder& run, int64_t after_ns = kSecondNs) {
    run.advance(after_ns);
    return time_of([&] { EXPECT_EQ(run.collect(), PLUMB_OK) << run.error(); });
  }
  static Milliseconds stage(PluginRecorder& run, uint32_t kind) {
    return time_of([&] { EXPECT_EQ(run.stage(kind), PLUMB_OK) << run.error(); });
  }
  static bool sees_again(PluginRecorder& run) {
    return eventually([&] {
      collect(run);
      return run.health.back().first == PLUMB_HEALTH_OK;
    });
  }
  static int postmaster() {
    return std::stoi(TestConnection(cluster_->dsn())
                         .run("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
  }
  static int sampler_of(const std::string& database) {
    return std::stoi(TestConnection(cluster_->dsn())
                         .run("SELECT pid FROM pg_stat_activity WHERE application_name = 'plumb'"
                              " AND datname = '" +
                              database + "'"));
  }
  static int times(const PluginRecorder& run, const std::string& kind) {
    int count = 0;
    for (const auto& event : run.events) count += event.first == kind ? 1 : 0;
    return count;
  }
  // Statements that read a table from end to end, so that plans are asked for.
  static void scan(const std::string& dsn, int scans) {
    TestConnection load(dsn);
    for (int i = 0; i < scans; ++i) {
      load.run("SELECT count(*) FROM big WHERE id = 1");
      load.run("SELECT max(id) FROM big WHERE v = 2");
      load.run("SELECT min(id) FROM big WHERE v = 3 AND id > 4");
    }
  }
  static std::string database_with_scans(const std::string& name) {
    std::string dsn = make_database(name);
    TestConnection admin(dsn);
    admin.run("CREATE TABLE big AS SELECT n AS id, n % 7 AS v FROM generate_series(1, 50000) n");
    admin.run("ANALYZE big");
    return dsn;
  }
  static bool scans_are_known(const std::string& dsn, int scans) {
    TestConnection admin(dsn);
    return eventually([&] {
      return admin.run("SELECT pg_stat_get_numscans('big'::regclass) >= " +
                       std::to_string(3 * scans)) == "t";
    });
  }
};

TEST_F(PgBounded, AServerThatIsStoppedHoldsNoCallUp) {
  const std::string dsn = database_with_scans("frozen");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  scan(dsn, 5);
  ASSERT_TRUE(scans_are_known(dsn, 5));
  const int sampler = sampler_of("frozen");
  {
    const Frozen server(postmaster());
    {
      const Frozen backend(sampler);
      EXPECT_LT(collect(run), kCollectLimit) << "a reading is under way";
    }
    EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
    for (int i = 0; i < 4; ++i)
      EXPECT_LT(collect(run), kCollectLimit) << "connections are taken, and nobody answers";
    EXPECT_THAT(run.health.back().second, HasSubstr("did not answer within"));
    EXPECT_LT(stage(run, PLUMB_STAGE_COOLDOWN), kStageLimit);
  }
  EXPECT_TRUE(sees_again(run)) << run.health.back().second;
}

TEST_F(PgBounded, ABackendThatIsStoppedAtAStagesEndHoldsItUpForSecondsOnly) {
  const std::string dsn = database_with_scans("frozen_stage");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  scan(dsn, 5);
  {
    const Frozen backend(sampler_of("frozen_stage"));
    EXPECT_LT(stage(run, PLUMB_STAGE_STEADY), kStageLimit);
  }
  EXPECT_TRUE(sees_again(run)) << run.health.back().second;
  EXPECT_EQ(run.stop(), PLUMB_OK) << run.error();
}

TEST_F(PgBounded, AHostThatTakesConnectionsAndNeverAnswersHoldsNoCallUp) {
  const std::string dsn = make_database("mute");
  TestProxy proxy(cluster_->port());
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, proxy.in_front_of(dsn));
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  proxy.lead_to(0);
  proxy.cut();
  EXPECT_LT(collect(run), kCollectLimit);
  for (int i = 0; i < 4; ++i) EXPECT_LT(collect(run), kCollectLimit);
  EXPECT_THAT(run.health.back().second, HasSubstr("did not answer within"));
  EXPECT_LT(stage(run, PLUMB_STAGE_COOLDOWN), kStageLimit);
  EXPECT_LT(time_of([&] {
              PluginRecorder first(plumb_plugin_entry_v1());
              EXPECT_EQ(first.configure({{"dsn", proxy.in_front_of(dsn)}}), PLUMB_UNAVAILABLE);
            }),
            Milliseconds(8000))
      << "what the engine grants configure";
  proxy.lead_to(cluster_->port());
  EXPECT_TRUE(sees_again(run)) << run.health.back().second;
}

TEST_F(PgBounded, AReconnectionToASlowServerIsMadeInSeveralCalls) {
  const std::string dsn = make_database("far");
  TestProxy proxy(cluster_->port());
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, proxy.in_front_of(dsn));
  proxy.delay_answers(Milliseconds(250));
  proxy.cut();
  for (int i = 0; i < 8 && times(run, "database-back") == 0; ++i)
    EXPECT_LT(collect(run), kCollectLimit);
  EXPECT_EQ(times(run, "database-back"), 1) << run.health.back().second;
}

TEST_F(PgBounded, ASlowServerIsAskedForLessAndNotGivenUp) {
  const std::string dsn = database_with_scans("slow");
  TestProxy proxy(cluster_->port());
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, proxy.in_front_of(dsn));
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  scan(dsn, 5);
  ASSERT_TRUE(scans_are_known(dsn, 5));
  proxy.delay_answers(Milliseconds(400));
  const size_t counters = run.samples["pg_commits_total"].size();
  for (int i = 0; i < 5; ++i) EXPECT_LT(collect(run), kCollectLimit);
  EXPECT_GT(run.samples["pg_commits_total"].size(), counters + 2);
  EXPECT_LT(stage(run, PLUMB_STAGE_COOLDOWN), kStageLimit);
  EXPECT_EQ(times(run, "database-lost"), 0);
  ASSERT_TRUE(run.tables.contains("pg_plans"));
  const nlohmann::json& plans = run.tables["pg_plans"];
  EXPECT_THAT(plans["title"].get<std::string>(), HasSubstr("3 not planned"));
  EXPECT_EQ(plans["rows"].size(), 3u);
  EXPECT_THAT(plans.dump(), HasSubstr("no time was left to ask for it"));
  proxy.delay_answers(Milliseconds(0));
  EXPECT_TRUE(sees_again(run)) << run.health.back().second;
  EXPECT_EQ(times(run, "database-lost"), 0);
}

TEST_F(PgBounded, ReadingsThatAreCutOffAreNoRollbacksOfTheApplication) {
  const std::string dsn = make_database("cut_off");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  for (int i = 0; i < 3; ++i) collect(run);
  TestConnection vandal(dsn);
  vandal.run("BEGIN");
  vandal.run("LOCK TABLE pg_catalog.pg_class, pg_catalog.pg_index IN ACCESS EXCLUSIVE MODE");
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  for (int i = 0; i < 20; ++i) collect(run);
  vandal.run("COMMIT");
  EXPECT_FALSE(run.logs.empty()) << "readings were cut off";
  TestConnection admin(cluster_->dsn());
  ASSERT_TRUE(eventually([&] {
    collect(run);
    return std::stoi(admin.run("SELECT xact_rollback FROM pg_stat_database"
                               " WHERE datname = 'cut_off'")) >= 3;
  }));
  collect(run);
  EXPECT_EQ(run.last("pg_rollbacks_total"), 0);
  vandal.run("BEGIN");
  vandal.run("ROLLBACK");
  EXPECT_TRUE(eventually([&] {
    vandal.run("SELECT count(*) FROM pg_class");
    collect(run);
    return run.last("pg_rollbacks_total") == 1;
  })) << "the application's own are";
}

TEST_F(PgBounded, TheSamplersConnectionsAreNoCommitsOfTheApplication) {
  const std::string dsn = make_database("reconnecting");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  TestConnection admin(cluster_->dsn());
  // A session tells the server of its transactions when it ends, at the latest.
  const auto reconnect = [&] {
    const std::string pid = std::to_string(sampler_of("reconnecting"));
    const int back = times(run, "database-back");
    admin.run("SELECT pg_terminate_backend(" + pid + ")");
    ASSERT_TRUE(eventually([&] {
      collect(run);
      return times(run, "database-back") > back &&
             admin.run("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0";
    }));
    collect(run);
  };
  reconnect();
  const double before = run.last("pg_commits_total");
  for (int i = 0; i < 6; ++i) reconnect();
  EXPECT_NEAR(run.last("pg_commits_total"), before, 2);
}

TEST_F(PgBounded, ACrashIsToldAsOneAndNotAsAReset) {
  auto own = PostgresCluster::create();
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  const std::string dsn = (*own)->dsn();
  {
    TestConnection load(dsn);
    for (int i = 0; i < 500; ++i) load.run("SELECT count(*) FROM pg_class");
    load.run("SELECT pg_stat_reset()");
    load.run("SELECT pg_stat_reset_shared('bgwriter')");
  }
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  for (int i = 0; i < 15; ++i) collect(run);
  TestConnection client(dsn);
  ASSERT_EQ(::kill(client.pid(), SIGKILL), 0) << "which takes every other session along";
  ASSERT_TRUE(eventually([&] {
    collect(run);
    return times(run, "database-back") == 1;
  })) << run.health.back().second;
  for (int i = 0; i < 30; ++i) collect(run);
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_THAT(run.events, Contains(Pair("database-restarted", HasSubstr("crashed"))));
  EXPECT_EQ(times(run, "statistics-reset"), 0) << run.events.back().second;
}

TEST_F(PgBounded, TotalsNeitherJumpNorFallWhenAnotherServerTakesOver) {
  {
    TestConnection past(cluster_->dsn());
    for (int i = 0; i < 3000; ++i) past.run("SELECT 1");
    ASSERT_TRUE(eventually([&] {
      past.run("SELECT count(*) FROM pg_class");
      return std::stoi(past.run("SELECT xact_commit FROM pg_stat_database WHERE datname ="
                                " 'postgres'")) > 3000;
    }));
  }
  auto own = PostgresCluster::create();
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  TestProxy proxy((*own)->port());
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, proxy.in_front_of((*own)->dsn()));
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load((*own)->dsn());
    for (int i = 0; i < 7; ++i) load.run("SELECT 'h', 'ere'");
  }
  for (int i = 0; i < 30; ++i) collect(run);
  ASSERT_EQ(TestConnection(cluster_->dsn())
                .run("SELECT now() - pg_postmaster_start_time() > interval '4 s'"),
            "t");
  const double before = run.last("pg_commits_total");

  proxy.lead_to(cluster_->port());
  proxy.cut();
  ASSERT_TRUE(sees_again(run)) << run.health.back().second;
  for (int i = 0; i < 30; ++i) collect(run);
  {
    TestConnection load(cluster_->dsn());
    for (int i = 0; i < 5; ++i) load.run("SELECT 't', 'h', 'ere'");
  }
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_THAT(run.events, Contains(Pair("database-replaced", HasSubstr("another server"))));
  EXPECT_EQ(times(run, "statistics-reset"), 0);
  EXPECT_LT(run.last("pg_commits_total"), before + 100) << "the other one's past is not counted";
  for (const auto& [name, list] : run.samples) {
    if (name.find("_total") == std::string::npos) continue;
    for (size_t i = 1; i < list.size(); ++i) EXPECT_GE(list[i].value, list[i - 1].value) << name;
  }
  double most = 0;
  for (const std::string& name : run.series_with("pg_statement_calls_total{"))
    most = std::max(most, run.last(name));
  EXPECT_GE(most, 5);
  EXPECT_LT(most, 100) << "of a statement that the other server had run thousands of times";
  EXPECT_THAT(run.tables["pg_statements"].dump(),
              AllOf(HasSubstr("\"SELECT $1, $2\""), HasSubstr("\"SELECT $1, $2, $3\"")));
}

TEST_F(PgBounded, AnExtensionDroppedAndMadeAgainIsNoticed) {
  const std::string dsn = make_database("dropping");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  TestConnection admin(dsn);
  ASSERT_EQ(admin.run("DROP EXTENSION pg_stat_statements"), "");
  for (int i = 0; i < 40; ++i) collect(run);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
  EXPECT_THAT(run.health.back().second,
              AllOf(HasSubstr("CREATE EXTENSION pg_stat_statements"), Not(HasSubstr("failed"))));
  EXPECT_THAT(run.tables["pg_missing"].dump(), HasSubstr("CREATE EXTENSION"));
  ASSERT_EQ(admin.run("CREATE EXTENSION pg_stat_statements"), "");
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  collect(run);
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
}

TEST_F(PgBounded, StatementsInsideFunctionsAreToldWhereTheyCountTwice) {
  const std::string dsn = make_database("nested", false);
  TestConnection admin(dsn);
  ASSERT_EQ(admin.run("CREATE EXTENSION pg_stat_statements VERSION '1.8'"), "");
  ASSERT_EQ(
      admin.run("ALTER ROLE postgres IN DATABASE nested SET pg_stat_statements.track = 'all'"), "");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  EXPECT_THAT(run.health.back(), Pair(static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED),
                                      HasSubstr("pg_stat_statements.track = 'top'")));
}

TEST_F(PgBounded, NamesThatAreNoUtf8AreShownAsFarAsTheyAre) {
  TestConnection(cluster_->dsn())
      .run("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  const std::string dsn = cluster_->dsn("bytes");
  TestConnection admin(dsn);
  ASSERT_EQ(admin.run("CREATE EXTENSION pg_stat_statements"), "");
  ASSERT_EQ(admin.run("CREATE TABLE \"caf\xe9\" AS SELECT n AS \"n\xe9\" FROM"
                      " generate_series(1, 50000) n"),
            "");
  PluginRecorder run(plumb_plugin_entry_v1());
  begin(run, dsn);
  ASSERT_EQ(run.stage(PLUMB_STAGE_STEADY), PLUMB_OK) << run.error();
  {
    TestConnection load(dsn);
    for (int i = 0; i < 3; ++i) load.run("SELECT count(*) FROM \"caf\xe9\" WHERE \"n\xe9\" = 7");
  }
  ASSERT_TRUE(eventually([&] {
    return admin.run("SELECT pg_stat_get_numscans('\"caf\xe9\"'::regclass) >= 3") == "t";
  }));
  ASSERT_EQ(run.stage(PLUMB_STAGE_COOLDOWN), PLUMB_OK) << run.error();
  EXPECT_EQ(run.last("pg_table_seq_scans_total{table=caf?}"), 3);
  EXPECT_THAT(run.tables["pg_statements"].dump(), HasSubstr("caf"));
  for (const auto& [name, list] : run.samples)
    EXPECT_NO_THROW((void)nlohmann::json(name).dump()) << "the host takes UTF-8 only";
  EXPECT_EQ(run.health.back().first, static_cast<uint32_t>(PLUMB_HEALTH_OK))
      << run.health.back().second;
}

}  // namespace
}  // namespace plumb::pg_stats
