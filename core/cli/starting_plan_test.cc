#include "core/cli/starting_plan.h"

#include <gtest/gtest.h>

#include "core/plan/load_plan.h"

namespace plumb::cli {
namespace {

plan::Outcome check(const StartingPlan& starting) {
  plan::Inputs inputs;
  inputs.environment["DATABASE_URL"] = "postgres://x";
  inputs.plugins = {{.name = "http_load", .role = PLUMB_ROLE_LOAD},
                    {.name = "host_metrics"},
                    {.name = "pg_stats", .options = {{.key = "dsn", .required = true}}},
                    {.name = "sqlite_stats", .options = {{.key = "database", .required = true}}}};
  return plan::parse_plan(starting_plan_text(starting), "plumb.yaml", inputs);
}

TEST(StartingPlan, IsValidAsItStands) {
  StartingPlan plan{.name = "sh\"op", .process_port = 8080};
  for (const Database database : {Database::kNone, Database::kPostgres, Database::kSqlite}) {
    plan.database = database;
    const plan::Outcome out = check(plan);
    EXPECT_TRUE(out.ok()) << out.text();
    EXPECT_EQ(out.plan.name, "sh\"op");
    EXPECT_EQ(out.plan.target.process.port, 8080);
    EXPECT_EQ(out.plan.plugins.size(), database == Database::kNone ? 1u : 2u);
  }
}

TEST(StartingPlan, MentionsEveryPluginThatCanWatchAService) {
  const std::string text = starting_plan_text({.url = "http://127.0.0.1:9/"});
  for (const char* plugin : {"host_metrics", "pg_stats", "sqlite_stats", "stack_profile",
                             "prom_scrape: {url: \"http://127.0.0.1:9/metrics\"}"})
    EXPECT_NE(text.find(plugin), std::string::npos) << plugin;
}

TEST(StartingPlan, AnotherMachineIsNotAllowedUnasked) {
  const plan::Outcome out = check({.url = "http://shop.example", .host = "shop.example"});
  ASSERT_EQ(out.problems.size(), 1u) << out.text();
  EXPECT_EQ(out.problems[0].key, "target.url");
}

}  // namespace
}  // namespace plumb::cli
