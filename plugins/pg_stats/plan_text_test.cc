#include "plugins/pg_stats/plan_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::pg_stats {
namespace {

using testing::HasSubstr;
using testing::Not;

// EXPLAIN (FORMAT JSON) of PostgreSQL 15.
constexpr const char* kCaptured = R"json([
  {
    "Plan": {
      "Node Type": "Limit",
      "Parallel Aware": false,
      "Async Capable": false,
      "Startup Cost": 3789.08,
      "Total Cost": 3789.12,
      "Plan Rows": 17,
      "Plan Width": 24,
      "Plans": [
        {
          "Node Type": "Sort",
          "Parent Relationship": "Outer",
          "Total Cost": 3789.12,
          "Plan Rows": 17,
          "Sort Key": ["created_at DESC", "(id || 'sesame'::text) DESC"],
          "Plans": [
            {
              "Node Type": "Seq Scan",
              "Parent Relationship": "Outer",
              "Parallel Aware": true,
              "Relation Name": "orders",
              "Alias": "orders",
              "Total Cost": 3788.73,
              "Plan Rows": 17,
              "Filter": "((customer_id = $1) AND (secret = 'hunter2'::text) AND (n > 4711))"
            }
          ]
        }
      ]
    }
  }
])json";

TEST(PlanText, ShowsNodesWithoutLiterals) {
  const auto plan = summarise_plan(kCaptured);
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  EXPECT_EQ(plan->text,
            "Limit  (cost=3789 rows=17)\n"
            "  Sort  (cost=3789 rows=17)\n"
            "      Sort Key: created_at DESC, (id || ?::text) DESC\n"
            "    Parallel Seq Scan on orders  (cost=3789 rows=17)\n"
            "        Filter: ((customer_id = $1) AND (secret = ?::text) AND (n > ?))\n");
  EXPECT_EQ(plan->seq_scanned, (std::set<std::string>{"orders"}));
  EXPECT_DOUBLE_EQ(plan->cost, 3789.12);
}

TEST(PlanText, WhatIsNotKnownToBeHarmlessIsLeftOut) {
  const auto plan = summarise_plan(
      R"json([{"Plan": {"Node Type": "Function Scan", "Function Call": "f('hunter2')",
           "Output": ["'hunter2'::text"], "Of The Future": "hunter2",
           "Filter": {"nested": "hunter2"}, "Total Cost": "hunter2", "Plans": "hunter2"}}])json");
  ASSERT_TRUE(plan.is_ok());
  EXPECT_THAT(plan->text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(plan->text, HasSubstr("Function Scan"));
}

TEST(PlanText, TornAndHostileTextIsNoPlan) {
  for (const char* text : {"", "[", "[]", "{}", "[1]", "[{}]", R"([{"Plan": 7}])", "null",
                           R"([{"Plan": [{"Node Type": "x"}]}])"})
    EXPECT_FALSE(summarise_plan(text).is_ok()) << text;
  EXPECT_FALSE(summarise_plan(std::string(2 << 20, ' ')).is_ok());
}

TEST(PlanText, ADeepOrWidePlanStaysShort) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += R"({"Node Type": "Nest\n", "Plans": [)";
  deep += "{}";
  for (int i = 0; i < 5000; ++i) deep += "]}";
  const auto plan = summarise_plan("[{\"Plan\": " + deep + "}]");
  ASSERT_TRUE(plan.is_ok());
  EXPECT_LE(plan->text.size(), 4000u);
  EXPECT_THAT(plan->text, Not(HasSubstr("Nest\n")));
  EXPECT_EQ(summarise_plan(R"([{"Plan": {"Total Cost": -5, "Plan Rows": 1e400}}])").is_ok(), false)
      << "a number past every number is no JSON";
}

TEST(MayBePlanned, OnlyWhatThePlannerTakes) {
  for (const char* sql : {"SELECT 1", "  select 1", "(SELECT 1)", "/* x */ WITH a AS (SELECT 1) x",
                          "update t set a = $1", "DELETE FROM t"})
    EXPECT_TRUE(may_be_planned(sql)) << sql;
  for (const char* sql : {"", "VACUUM t", "CREATE TABLE t ()", "INSERT INTO t VALUES ($1)",
                          "EXPLAIN ANALYZE SELECT 1", "selects", "DO $$ $$", "(ANALYZE) SELECT 1"})
    EXPECT_FALSE(may_be_planned(sql)) << sql;
}

}  // namespace
}  // namespace plumb::pg_stats
