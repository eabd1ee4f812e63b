#include "plugins/pg_stats/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace plumb::pg_stats {
namespace {

using testing::HasSubstr;
using testing::Not;

ServerFacts server(int major) {
  ServerFacts facts;
  facts.version = major * 10000 + 2;
  facts.database_oid = 16384;
  facts.statements_loaded = true;
  facts.statements_schema = "public";
  facts.statements_columns = {"queryid", "calls", "rows"};
  if (major >= 13) {
    facts.statements_columns.insert({"total_exec_time", "total_plan_time", "wal_bytes"});
  } else {
    facts.statements_columns.insert("total_time");
  }
  if (major >= 14) facts.statements_columns.insert("toplevel");
  return facts;
}

class EveryVersion : public testing::TestWithParam<int> {};

TEST_P(EveryVersion, MarksEveryStatementAsPlumbsOwn) {
  const ServerFacts facts = server(GetParam());
  const std::vector<int64_t> ids = {1, -2};
  for (const std::string& sql :
       {facts_query(), statements_columns_query(facts), activity_query(facts),
        counters_query(facts), blocking_query(facts), statements_query(facts),
        statement_texts_query(facts, ids), tables_query(), table_sizes_query(ids),
        table_estimates_query(ids), settings_query()}) {
    EXPECT_THAT(sql, HasSubstr(std::string(kOwnMark)));
    EXPECT_NE(sql.find(kOwnMark), 0u) << "PostgreSQL 18 drops what stands before a statement";
  }
}

INSTANTIATE_TEST_SUITE_P(Supported, EveryVersion, testing::Values(12, 13, 14, 15, 16, 17, 18));

TEST(Queries, Version12HasNeitherQueryIdsNorActiveTime) {
  const ServerFacts facts = server(12);
  EXPECT_THAT(activity_query(facts), HasSubstr("NULL::bigint"));
  EXPECT_THAT(activity_query(facts), Not(HasSubstr("a.query_id")));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("active_time")));
  EXPECT_THAT(counters_query(facts), HasSubstr("pg_current_wal_lsn()"));
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("wal_syncs")));
  EXPECT_THAT(statements_query(facts), HasSubstr("sum(total_time)"));
  EXPECT_THAT(statements_query(facts), Not(HasSubstr("toplevel")));
}

TEST(Queries, AStandbyBefore14HasNoWalPosition) {
  ServerFacts facts = server(13);
  facts.in_recovery = true;
  EXPECT_THAT(counters_query(facts), Not(HasSubstr("wal")));
}

TEST(Queries, Version13AddsPlanningTime) {
  EXPECT_THAT(statements_query(server(13)), HasSubstr("sum(total_exec_time + total_plan_time)"));
  EXPECT_THAT(statements_query(server(13)), HasSubstr("sum(wal_bytes)"));
}

TEST(Queries, From14QueryIdsAndActiveTimeAreRead) {
  for (const int major : {14, 15, 16, 17, 18}) {
    const ServerFacts facts = server(major);
    EXPECT_THAT(activity_query(facts), HasSubstr("a.query_id"));
    EXPECT_THAT(counters_query(facts), HasSubstr("active_time"));
    EXPECT_THAT(statements_query(facts), HasSubstr("AND toplevel"));
  }
}

TEST(Queries, From18WalSyncsComeFromIo) {
  EXPECT_THAT(counters_query(server(17)), HasSubstr("w.wal_sync AS wal_syncs"));
  EXPECT_THAT(counters_query(server(18)), HasSubstr("pg_stat_get_io()"));
  EXPECT_THAT(counters_query(server(18)), Not(HasSubstr("w.wal_sync")));
}

TEST(Queries, AnOldExtensionOnANewServerIsReadAsTheOldOne) {
  ServerFacts facts = server(15);
  facts.statements_columns = server(12).statements_columns;
  EXPECT_THAT(statements_query(facts), HasSubstr("sum(total_time)"));
}

TEST(Queries, TheExtensionsSchemaIsQuoted) {
  ServerFacts facts = server(15);
  facts.statements_schema = "it's \"x\"";
  EXPECT_THAT(statements_query(facts), HasSubstr("\"it's \"\"x\"\"\".pg_stat_statements(false)"));
  EXPECT_THAT(statements_columns_query(facts), HasSubstr("it''s"));
}

TEST(Queries, AnEmptyListSelectsNothing) {
  EXPECT_THAT(table_sizes_query({}), HasSubstr("IN (NULL)"));
}

}  // namespace
}  // namespace plumb::pg_stats
