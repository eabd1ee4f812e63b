#include "plugins/pg_stats/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "plugins/pg_stats/catalog_queries.h"
#include "plugins/pg_stats/server_versions.h"

namespace plumb::pg_stats {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Named {
  const char* name;
  std::string sql;
};

std::vector<Named> statements_for(const ServerFacts& facts) {
  const std::vector<int64_t> ids = {1, -2};
  std::vector<Named> out = {{"facts", facts_query()},
                            {"columns", columns_query(facts)},
                            {"modest session", modest_session_query()},
                            {"activity", activity_query(facts)},
                            {"few busy", few_busy_query(facts)},
                            {"counters", counters_query(facts)},
                            {"connections", connections_query(facts)},
                            {"blocking", blocking_query(facts)},
                            {"statements", statements_query(facts)},
                            {"statement texts", statement_texts_query(facts, ids)},
                            {"tables", tables_query()},
                            {"table sizes", table_sizes_query(ids)},
                            {"table estimates", table_estimates_query(ids)},
                            {"indexes", indexes_query(facts)},
                            {"settings", settings_query()},
                            {"database size", database_size_query(facts)},
                            {"cluster", cluster_query(facts)},
                            {"vacuum", vacuum_query(facts)},
                            {"replication", replication_query()},
                            {"standby", standby_query()}};
  if (facts.has("pg_stat_statements_info"))
    out.push_back({"statements info", statements_info_query(facts)});
  if (facts.has("pg_stat_io")) out.push_back({"io", io_query(facts)});
  return out;
}

class EveryVersion : public testing::TestWithParam<int> {};

TEST_P(EveryVersion, MarksEveryStatementAsPlumbsOwn) {
  for (const auto& [name, sql] : statements_for(server_of_version(GetParam()))) {
    EXPECT_THAT(sql, HasSubstr(std::string(kOwnMark))) << name;
    EXPECT_NE(sql.find(kOwnMark), 0u) << "PostgreSQL 18 drops what stands before a statement";
  }
}

// To write the files anew, and then read the difference: PLUMB_WRITE_GOLDEN=1 pg_stats_test
TEST_P(EveryVersion, IsAskedInItsOwnWords) {
  std::string text;
  for (const auto& [name, sql] : statements_for(server_of_version(GetParam())))
    text += std::string("-- ") + name + "\n" + sql + ";\n\n";
  const std::string path = std::string(PLUMB_SOURCE_DIR) + "/plugins/pg_stats/testdata/postgres-" +
                           std::to_string(GetParam()) + ".sql";
  if (std::getenv("PLUMB_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(file), {})) << path;
}

INSTANTIATE_TEST_SUITE_P(Supported, EveryVersion, testing::Values(12, 13, 14, 15, 16, 17, 18));

TEST(Queries, Version12HasNeitherQueryIdsNorActiveTime) {
  const ServerFacts facts = server_of_version(12);
  EXPECT_THAT(activity_query(facts), HasSubstr("NULL::bigint"));
  EXPECT_THAT(activity_query(facts), Not(HasSubstr("a.query_id")));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("active_time")));
  EXPECT_THAT(counters_query(facts), HasSubstr("pg_current_wal_lsn()"));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("wal_syncs")));
  EXPECT_THAT(statements_query(facts), HasSubstr("sum(total_time)"));
  EXPECT_THAT(statements_query(facts), Not(HasSubstr("toplevel")));
  EXPECT_THAT(statements_query(facts), Not(HasSubstr("wal")));
}

TEST(Queries, AStandbyBefore14HasNoWalPosition) {
  ServerFacts facts = server_of_version(13);
  facts.in_recovery = true;
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("wal_bytes")));
}

TEST(Queries, Version13AddsPlanningTime) {
  EXPECT_THAT(statements_query(server_of_version(13)),
              HasSubstr("sum(total_exec_time + total_plan_time)"));
  EXPECT_THAT(statements_query(server_of_version(13)), HasSubstr("sum(wal_bytes)"));
}

TEST(Queries, From14QueryIdsAndActiveTimeAreRead) {
  for (const int major : {14, 15, 16, 17, 18}) {
    const ServerFacts facts = server_of_version(major);
    EXPECT_THAT(activity_query(facts), HasSubstr("a.query_id"));
    EXPECT_THAT(counters_query(facts), HasSubstr("active_time"));
    EXPECT_THAT(statements_query(facts), HasSubstr("AND toplevel"));
  }
}

TEST(Queries, From17TimesOfBlocksAreSplitByKind) {
  EXPECT_THAT(statements_query(server_of_version(14)), HasSubstr("sum(blk_read_time) AS io_read"));
  EXPECT_THAT(statements_query(server_of_version(16)),
              HasSubstr("sum(blk_read_time + temp_blk_read_time) AS io_read"));
  EXPECT_THAT(
      statements_query(server_of_version(17)),
      HasSubstr("sum(shared_blk_read_time + local_blk_read_time + temp_blk_read_time) AS io_read"));
}

TEST(Queries, From17CheckpointsHaveAViewOfTheirOwn) {
  EXPECT_THAT(cluster_query(server_of_version(16)), HasSubstr("b.checkpoints_req"));
  EXPECT_THAT(cluster_query(server_of_version(17)), HasSubstr("c.num_requested"));
  EXPECT_THAT(cluster_query(server_of_version(17)), Not(HasSubstr("b.checkpoint")));
  EXPECT_THAT(cluster_query(server_of_version(17)), Not(HasSubstr("buffers_backend")));
}

TEST(Queries, From18WalSyncsAndBytesComeFromIo) {
  EXPECT_THAT(counters_query(server_of_version(17)), HasSubstr("w.wal_sync AS wal_syncs"));
  EXPECT_THAT(counters_query(server_of_version(18)), HasSubstr("pg_stat_get_io()"));
  EXPECT_THAT(counters_query(server_of_version(18)), Not(HasSubstr("w.wal_sync")));
  EXPECT_THAT(io_query(server_of_version(17)), HasSubstr("sum(reads * op_bytes) AS read_bytes"));
  EXPECT_THAT(io_query(server_of_version(18)), HasSubstr("sum(read_bytes) AS read_bytes"));
}

TEST(Queries, TimesThatTheServerDoesNotTakeAreNotAskedFor) {
  ServerFacts facts = server_of_version(17);
  facts.tracks_io_time = facts.tracks_wal_io_time = facts.tracks_planning = false;
  EXPECT_THAT(statements_query(facts), Not(HasSubstr("io_read")));
  EXPECT_THAT(statements_query(facts), Not(HasSubstr("AS planning")));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("read_seconds")));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("wal_sync_seconds")));
  EXPECT_THAT(io_query(facts), Not(HasSubstr("read_time")));
}

TEST(Queries, AnOldExtensionOnANewServerIsReadAsTheOldOne) {
  ServerFacts facts = server_of_version(15);
  facts.columns["pg_stat_statements"] = server_of_version(12).columns["pg_stat_statements"];
  EXPECT_THAT(statements_query(facts), HasSubstr("sum(total_time)"));
}

TEST(Queries, TheExtensionsSchemaIsQuoted) {
  ServerFacts facts = server_of_version(15);
  facts.statements_schema = "it's \"x\"";
  EXPECT_THAT(statements_query(facts), HasSubstr("\"it's \"\"x\"\"\".pg_stat_statements(false)"));
  EXPECT_THAT(columns_query(facts), HasSubstr("it''s"));
}

TEST(Queries, AnEmptyListSelectsNothing) {
  EXPECT_THAT(table_sizes_query({}), HasSubstr("IN (NULL)"));
}

}  // namespace
}  // namespace plumb::pg_stats
