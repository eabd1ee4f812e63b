#include "plugins/pg_stats/index_findings.h"

#include <gtest/gtest.h>

#include <map>

#include "plugins/pg_stats/suspects.h"

namespace plumb::pg_stats {
namespace {

IndexEntry index(int64_t oid, const char* name, std::vector<int> columns, double scans = 1) {
  IndexEntry i;
  i.oid = oid;
  i.name = name;
  i.table_oid = 1;
  i.table = "orders";
  i.method = 403;
  i.keys = columns.size();
  i.sort.assign(columns.size(), "0 1978 0 ");
  i.columns = std::move(columns);
  i.bytes = 1e6;
  i.scans = scans;
  return i;
}

std::map<std::string, std::string> findings(const std::vector<IndexEntry>& indexes) {
  std::map<std::string, std::string> out;
  for (const IndexFinding& f : find_needless_indexes(indexes)) out[f.index] = f.finding;
  return out;
}

using Found = std::map<std::string, std::string>;

TEST(NeedlessIndexes, OneThatNobodyScansIsUnusedUnlessItKeepsAPromise) {
  IndexEntry unique = index(2, "unique", {2}, 0);
  unique.unique = true;
  IndexEntry primary = index(3, "primary", {3}, 0);
  primary.constrained = true;
  IndexEntry small = index(4, "small", {4}, 0);
  small.bytes = 16384;
  EXPECT_EQ(findings({index(1, "plain", {1}, 0), unique, primary, small}),
            (Found{{"plain", "unused"}}));
}

TEST(NeedlessIndexes, OfTwoEqualOnesTheMoreUsedStays) {
  EXPECT_EQ(findings({index(1, "old", {1, 2}, 5), index(2, "new", {1, 2}, 9)}),
            (Found{{"old", "duplicate of new"}}));
  EXPECT_EQ(findings({index(1, "old", {1, 2}, 5), index(2, "new", {1, 2}, 5)}),
            (Found{{"new", "duplicate of old"}}));
}

TEST(NeedlessIndexes, AUniqueOneIsNeverTheDuplicate) {
  IndexEntry unique = index(2, "key", {1}, 0);
  unique.unique = true;
  EXPECT_EQ(findings({index(1, "plain", {1}, 100), unique}),
            (Found{{"plain", "duplicate of key"}}));
}

TEST(NeedlessIndexes, TheBeginningOfALongerOneIsRedundant) {
  EXPECT_EQ(findings({index(1, "short", {1}), index(2, "long", {1, 2})}),
            (Found{{"short", "redundant prefix of long"}}));
  EXPECT_EQ(findings({index(1, "short", {2}), index(2, "long", {1, 2})}), Found{});
}

TEST(NeedlessIndexes, AnotherOrderMethodOrConditionIsAnotherIndex) {
  IndexEntry descending = index(2, "descending", {1});
  descending.sort = {"1 1978 0 "};
  IndexEntry hash = index(3, "hash", {1});
  hash.method = 405;
  IndexEntry partial = index(4, "partial", {1});
  partial.predicate = "{OPEXPR}";
  IndexEntry elsewhere = index(5, "elsewhere", {1});
  elsewhere.table_oid = 2;
  EXPECT_EQ(findings({index(1, "plain", {1}), descending, hash, partial, elsewhere}), Found{});
}

TEST(NeedlessIndexes, IncludedColumnsMustBeThereToo) {
  IndexEntry covering = index(1, "covering", {1, 9});
  covering.keys = 1;
  covering.sort.resize(1);
  EXPECT_EQ(findings({covering, index(2, "longer", {1, 2})}), Found{});
  EXPECT_EQ(findings({covering, index(2, "longer", {1, 9})}),
            (Found{{"covering", "redundant prefix of longer"}}));
  EXPECT_EQ(findings({covering, index(2, "plain", {1})}),
            (Found{{"plain", "redundant prefix of covering"}}));
}

TEST(NeedlessIndexes, AnInvalidOneIsNamedAndComparedWithNothing) {
  IndexEntry broken = index(1, "broken", {1});
  broken.valid = false;
  const Found found = findings({broken, index(2, "good", {1})});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.at("broken").substr(0, 7), "invalid");
}

TEST(NeedlessIndexes, ATornCatalogRowIsComparedWithNothing) {
  EXPECT_EQ(sort_of_columns("0 0/1978 1994/0 100", 2),
            (std::vector<std::string>{"0 1978 0 ", "0 1994 100 "}));
  EXPECT_TRUE(sort_of_columns("0/1978", 2).empty());
  IndexEntry torn = index(1, "torn", {1});
  torn.sort.clear();
  torn.columns.clear();
  EXPECT_EQ(findings({torn, index(2, "good", {1})}), Found{});
}

TEST(NamesInStatement, AreIdentifiersAndPairsButNoLiterals) {
  const auto names = names_in_statement(
      "SELECT o.ID, 'accounts' FROM Shop.Orders o JOIN \"Order \"\"Lines\" l ON l.o = $1 "
      "/* products */ -- items");
  for (const char* name : {"orders", "shop.orders", "Order \"Lines", "id", "o.id"})
    EXPECT_TRUE(names.contains(name)) << name;
  for (const char* name : {"accounts", "products", "items", "Orders"})
    EXPECT_FALSE(names.contains(name)) << name;
}

TEST(NamesInStatement, TornTextSurvives) {
  for (const char* sql : {"", ".", "\"", "a.", "\"a", "a.\"", "..a..", "$", "\"\""})
    (void)names_in_statement(sql);
}

TEST(Suspects, AreStatementsThatNameTheTableAndGoThroughMuchOfIt) {
  const std::vector<ScannedTable> tables = {
      {"shop.orders", 10, 2'000'000, 1000}, {"tiny", 1000, 20'000, 1}, {"idle", 0, 0, 50}};
  const std::vector<StatementUse> statements = {
      {1, 10, 12'000, {"orders", "customer_id"}},  // all of it, each time
      {2, 1000, 4'000, {"orders"}},                // four blocks a call: an index
      {3, 10, 20'000, {"products"}},               // names another table
      {4, 1, 5'000, {"shop.orders"}}};
  const auto suspects = find_suspects(tables, statements, 5);
  ASSERT_EQ(suspects.size(), 1u) << "tiny tables are meant to be scanned";
  EXPECT_EQ(suspects[0].table, "shop.orders");
  EXPECT_EQ(suspects[0].rows_per_scan, 200'000);
  EXPECT_EQ(suspects[0].query_ids, (std::vector<int64_t>{1, 4}));
}

}  // namespace
}  // namespace plumb::pg_stats
