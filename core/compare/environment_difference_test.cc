#include "core/compare/environment_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::compare {
namespace {

using nlohmann::json;

const json kPlan = {
    {"name", "shop"},
    {"run_dir", "runs"},
    {"load", {{"model", "open"}, {"rate", "200/s"}, {"requests", {{{"path", "/"}}}}}},
    {"target", {{"url", "http://a"}}},
    {"slos", {{{"metric", "p95"}, {"limit", 0.05}}}}};
const json kMachine = {{"processors", 4},
                       {"kernel", "Linux 6.1"},
                       {"plumb", "0.1"},
                       {"plugins", {{"pg_stats", "0.1"}}}};

std::vector<std::string> told(const json& plan, const json& machine) {
  std::vector<std::string> out;
  for (const EnvironmentDifference& difference :
       environment_differences({kPlan, kMachine}, {plan, machine}))
    out.push_back(std::string(weight_name(difference.weight)) + " " + difference.key + " " +
                  difference.base + " -> " + difference.run);
  return out;
}

TEST(EnvironmentDifference, WhatIsAlikeHasNone) { EXPECT_TRUE(told(kPlan, kMachine).empty()); }

TEST(EnvironmentDifference, AnotherPlanOrModelIsRefusedAndComesFirst) {
  json plan = kPlan;
  plan["name"] = "other";
  plan["load"]["model"] = "closed";
  json machine = kMachine;
  machine["processors"] = 8;
  EXPECT_THAT(told(plan, machine), ::testing::ElementsAre("refused plan.load.model open -> closed",
                                                          "refused plan.name shop -> other",
                                                          "warning environment.processors 4 -> 8"));
}

TEST(EnvironmentDifference, LoadTargetAndMachineAreWarningsVersionsAndObjectivesNotes) {
  json plan = kPlan;
  plan["load"]["rate"] = "300/s";
  plan["load"]["requests"][0]["path"] = "/x";
  plan["target"]["url"] = "http://b";
  plan["slos"][0]["limit"] = 0.1;
  json machine = kMachine;
  machine["plugins"]["pg_stats"] = "0.2";
  machine.erase("plumb");
  EXPECT_THAT(
      told(plan, machine),
      ::testing::ElementsAre(
          "warning plan.load.rate 200/s -> 300/s", "warning plan.load.requests[0].path / -> /x",
          "warning plan.target.url http://a -> http://b", "note plan.slos[0].limit 0.05 -> 0.1",
          "note environment.plugins.pg_stats 0.1 -> 0.2", "note environment.plumb 0.1 -> "));
}

TEST(EnvironmentDifference, WhereARunIsKeptAndWhatItIsHeldAgainstIsNone) {
  json plan = kPlan;
  plan["run_dir"] = "elsewhere";
  plan["baseline"] = "release";
  plan["load"]["log"] = "x.csv.zst";
  EXPECT_TRUE(told(plan, kMachine).empty());
}

TEST(EnvironmentDifference, DocumentsOfAnyShapeAreNoDanger) {
  json deep = 1;
  for (int i = 0; i < 200; ++i) deep = json{{"a", deep}};
  EXPECT_FALSE(environment_differences({deep, json()}, {json::array({1}), json("x")}).empty());
}

}  // namespace
}  // namespace plumb::compare
