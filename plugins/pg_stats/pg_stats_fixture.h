// For the tests against a real server: one cluster for a suite, a database for each test.
#ifndef PLUMB_PLUGINS_PG_STATS_PG_STATS_FIXTURE_H_
#define PLUMB_PLUGINS_PG_STATS_PG_STATS_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "plugins/pg_stats/plugin_recorder.h"
#include "tests/support/postgres_cluster.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::pg_stats {

using test_support::PostgresCluster;
using test_support::TestConnection;

inline constexpr int64_t kSecondNs = 1'000'000'000;

// Waits for what another process does; false when it has not within ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class PgStatsFixture : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Its workers come when they like, and would be counted and clean up what a test looks for.
    PostgresCluster::Options options;
    options.settings = {{"autovacuum", "off"}};
    auto cluster = PostgresCluster::create(options);
    ASSERT_TRUE(cluster.is_ok()) << cluster.status().message();
    cluster_ = std::move(cluster).value().release();
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  // A database of the test's own, with the extension unless told otherwise.
  static std::string make_database(const std::string& name, bool statements = true) {
    TestConnection admin(cluster_->dsn());
    EXPECT_EQ(admin.run("CREATE DATABASE " + name), "");
    TestConnection inside(cluster_->dsn(name));
    if (statements) {
      EXPECT_EQ(inside.run("CREATE EXTENSION pg_stat_statements"), "");
    }
    return cluster_->dsn(name);
  }
  static void begin(PluginRecorder& run, const std::string& dsn) {
    ASSERT_EQ(run.configure({{"dsn", dsn}}), PLUMB_OK) << run.error();
    ASSERT_EQ(run.start(), PLUMB_OK) << run.error();
    ASSERT_EQ(run.collect(), PLUMB_OK) << run.error();
  }
  // Ends what `connection` has sent.
  static void cancel(TestConnection& connection) {
    TestConnection(cluster_->dsn())
        .run("SELECT pg_cancel_backend(" + std::to_string(connection.pid()) + ")");
    connection.finish();
  }

  static inline PostgresCluster* cluster_ = nullptr;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PG_STATS_FIXTURE_H_
