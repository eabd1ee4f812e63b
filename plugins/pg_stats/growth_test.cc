#include "plugins/pg_stats/growth.h"

#include <gtest/gtest.h>

namespace plumb::pg_stats {
namespace {

StatementCounters statement(int64_t id, double calls, double ms) {
  StatementCounters s;
  s.query_id = id;
  s.fields[kCalls] = calls;
  s.fields[kMilliseconds] = ms;
  return s;
}

StatementReading reading(std::vector<StatementCounters> statements) {
  StatementReading out;
  for (auto& s : statements) out.emplace(s.query_id, s);
  return out;
}

TableCounters table(int64_t oid, const char* name, double scans, double tuples, double index) {
  TableCounters t;
  t.oid = oid;
  t.name = name;
  t.seq_scans = scans;
  t.seq_tuples = tuples;
  t.index_scans = index;
  return t;
}

const auto kNone = [](int64_t) { return false; };

TEST(StatementGrowth, IsTheDifferenceOfWhatWasCalledSince) {
  const auto grown = statement_growth(reading({statement(1, 10, 5), statement(2, 3, 1)}),
                                      reading({statement(1, 25, 9), statement(2, 3, 1)}));
  ASSERT_EQ(grown.size(), 1u);
  EXPECT_EQ(grown[0].query_id, 1);
  EXPECT_DOUBLE_EQ(grown[0].calls(), 15);
  EXPECT_DOUBLE_EQ(grown[0].ms(), 4);
}

TEST(StatementGrowth, ANewOrForgottenStatementCountsFromZero) {
  const auto grown = statement_growth(reading({statement(1, 100, 50)}),
                                      reading({statement(1, 4, 2), statement(7, 6, 1)}));
  ASSERT_EQ(grown.size(), 2u);
  for (const auto& s : grown) EXPECT_DOUBLE_EQ(s.calls(), s.query_id == 1 ? 4 : 6);
}

TEST(StatementGrowth, AFieldThatTheServerDoesNotHaveStaysUnknown) {
  StatementCounters before = statement(1, 10, 5);
  StatementCounters after = statement(1, 20, 9);
  before.fields[kBlocksRead] = 100;
  after.fields[kBlocksRead] = 130;
  const auto grown = statement_growth(reading({before}), reading({after}));
  ASSERT_EQ(grown.size(), 1u);
  EXPECT_EQ(grown[0].fields[kBlocksRead], 30);
  EXPECT_EQ(grown[0].fields[kBlocksHit], std::nullopt);
}

TEST(StatementGrowth, WhatGrewOnAnotherServerIsAdded) {
  auto grown = statement_growth({}, reading({statement(1, 10, 5)}));
  add_growth(grown, {statement(1, 4, 2), statement(9, 1, 1)});
  ASSERT_EQ(grown.size(), 2u);
  EXPECT_DOUBLE_EQ(grown[0].calls(), 14);
  EXPECT_DOUBLE_EQ(grown[0].ms(), 7);
  EXPECT_EQ(grown[1].query_id, 9);
}

TEST(TopStatements, TakesThoseWithMostTimeAndThoseWithMostCalls) {
  const auto top = top_statements(
      {statement(1, 1, 100), statement(2, 2, 50), statement(3, 900, 1), statement(4, 5, 2)}, 2, 1,
      kNone);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].query_id, 1);
  EXPECT_EQ(top[1].query_id, 2);
  EXPECT_EQ(top[2].query_id, 3);
}

TEST(TopStatements, WhatIsSkippedMakesRoomForTheNext) {
  const auto top = top_statements({statement(1, 1, 100), statement(2, 2, 50)}, 1, 0,
                                  [](int64_t id) { return id == 1; });
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(top[0].query_id, 2);
}

TEST(TableGrowth, CountsScansAndTheRowsTheyRead) {
  const TableReading before = {{1, table(1, "orders", 10, 1000, 5)},
                               {2, table(2, "idle", 1, 1, 1)}};
  const TableReading after = {{1, table(1, "orders", 12, 5000, 6)},
                              {2, table(2, "idle", 1, 1, 1)},
                              {3, table(3, "new", 1, 70, 0)}};
  const auto top = top_tables(table_growth(before, after), 20);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].name, "orders");
  EXPECT_DOUBLE_EQ(top[0].seq_tuples, 4000);
  EXPECT_DOUBLE_EQ(top[0].index_scans, 1);
  EXPECT_EQ(top[1].name, "new");
  EXPECT_EQ(top_tables(table_growth(before, after), 1).size(), 1u);
}

TEST(TableGrowth, WhatGrewOnAnotherServerIsAdded) {
  auto grown = table_growth({}, {{1, table(1, "orders", 2, 20, 0)}});
  add_growth(grown, {table(1, "orders", 3, 30, 1), table(2, "old", 1, 1, 0)});
  ASSERT_EQ(grown.size(), 2u);
  EXPECT_DOUBLE_EQ(grown[0].seq_tuples, 50);
  EXPECT_EQ(grown[1].name, "old");
}

TEST(MostDead, NamesTablesWithDeadRowsOnly) {
  TableCounters full = table(1, "full", 1, 1, 1);
  full.dead = 10;
  TableCounters fuller = table(2, "fuller", 1, 1, 1);
  fuller.dead = 20;
  const auto dead = most_dead({{1, full}, {2, fuller}, {3, table(3, "clean", 1, 1, 1)}}, 5);
  ASSERT_EQ(dead.size(), 2u);
  EXPECT_EQ(dead[0].name, "fuller");
}

}  // namespace
}  // namespace plumb::pg_stats
