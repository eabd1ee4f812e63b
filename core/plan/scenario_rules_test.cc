// Plans with scenarios: what reaches the load plugin, and how mistakes are named.
#include "core/plan/scenario_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/plan/load_plan.h"
#include "core/plan/plan_for_tests.h"

namespace plumb::plan {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

// A plan with `load` as the keys of load, each line by itself.
Outcome scenario_plan(const std::string& load, const std::string& rest = "") {
  Inputs inputs = inputs_for_tests();
  inputs.environment["SECRET"] = "hunter22";
  inputs.environment["AUTH_URL"] = "http://127.0.0.1/token";
  return parse_plan("target: {url: 'http://127.0.0.1:1'}\nload:\n  users: 1\n" + load + rest,
                    "plan.yaml", inputs);
}

constexpr const char* kBuy = R"(  scenarios:
    - {name: buy, steps: [login, order]}
  requests:
    - name: login
      path: /login
      think: 250ms
      extract: {token: "json:/data/token", id: "header:Location"}
    - name: order
      path: "/orders/{{ id }}?t={{token}}"
      json: {n: "{{random(1,5)|raw}}"}
      redirects: 3
      checks: {contains: done, json: {/token: ok}, header: {X-Key: k}, under: 300ms}
    - {name: home}
    - {name: also, weight: 2}
)";

TEST(ScenarioRules, WhatWasWrittenReachesThePlugin) {
  const Outcome out = scenario_plan(kBuy);
  ASSERT_TRUE(out.ok()) << out.text();
  const Load& load = out.plan.load;
  EXPECT_EQ(load.extra["scenarios"],
            Json::parse(R"([{"name":"buy","weight":1.0,"steps":["login","order"]}])"));
  EXPECT_EQ(load.requests[0].extra, Json::parse(R"({"think":250000000,
                            "extract":{"token":"json:/data/token","id":"header:Location"}})"));
  EXPECT_EQ(load.requests[1].extra, Json::parse(R"({"redirects":3,"json_body":true,
                            "checks":{"contains":["done"],"json":{"/token":"ok"},
                                      "header":{"X-Key":"k"},"under":300000000}})"));
  EXPECT_EQ(load.requests[1].path, "/orders/{{ id }}?t={{token}}");
  EXPECT_EQ(load.requests[1].body, R"({"n":"{{random(1,5)|raw}}"})");
  EXPECT_EQ(load.requests[0].weight, 0);
  EXPECT_EQ(load.requests[2].weight, 1);
  EXPECT_EQ(load.requests[3].weight, 2);
}

TEST(ScenarioRules, TheResolvedPlanSaysTheSameAgain) {
  const Outcome out = scenario_plan(kBuy);
  const Json& requests = out.plan.resolved["load"]["requests"];
  EXPECT_FALSE(requests[0].contains("weight"));
  EXPECT_EQ(requests[2]["weight"], 1);
  EXPECT_EQ(requests[0]["extract"]["token"], "json:/data/token") << "a name is no secret here";
  EXPECT_EQ(requests[1]["checks"]["json"]["/token"], "ok");
  EXPECT_EQ(requests[1]["checks"]["header"]["X-Key"], "k");
  EXPECT_EQ(requests[1]["checks"]["under"], "300ms");
  EXPECT_THAT(out.plan.secret_values, testing::IsEmpty());
}

TEST(ScenarioRules, AStepWithAWeightAlsoStandsAlone) {
  const Outcome out =
      scenario_plan("  scenarios: [{name: s, steps: [a]}]\n  requests: [{name: a, weight: 1}]\n");
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.requests[0].weight, 1);
}

TEST(ScenarioRules, MistakesAreNamedWithTheirPlace) {
  const auto problem = [](const std::string& load) { return scenario_plan(load).text(); };
  const std::string requests = "  requests: [{name: login}, {name: order}]\n";
  EXPECT_THAT(
      problem("  scenarios: [{name: s, steps: [login, ordr]}]\n" + requests),
      AllOf(HasSubstr("plan.yaml:4:32: load.scenarios.0.steps: no request is called \"ordr\""),
            HasSubstr("Did you mean 'order'?")));
  EXPECT_THAT(problem("  scenarios: [{name: s, steps: [payment]}]\n" + requests),
              HasSubstr("requests: login, order"));
  EXPECT_THAT(problem("  scenarios: [{name: s, steps: []}]\n" + requests),
              HasSubstr("lists no request"));
  EXPECT_THAT(problem("  scenarios: [{name: s}]\n" + requests), HasSubstr("steps: is missing"));
  EXPECT_THAT(
      problem("  scenarios: [{name: s, steps: login}, {name: s, steps: login}]\n" + requests),
      HasSubstr("load.scenarios.1.name: another one is called \"s\" too"));
  EXPECT_THAT(problem("  requests: [{extract: {a: /b}}]\n"),
              AllOf(HasSubstr("plan.yaml:4:24: load.requests.0.extract: there is no way \"/b\""),
                    HasSubstr("json:/pointer")));
  EXPECT_THAT(problem("  requests: [{path: \"x{{y}}\"}]\n"),
              HasSubstr("a path begins with a slash"));
  EXPECT_THAT(problem("  requests: [{path: \"/x y{{y}}\"}]\n"), HasSubstr("takes no blanks"));
  EXPECT_THAT(problem("  requests: [{redirects: 21}]\n"), HasSubstr("at most 20"));
  EXPECT_THAT(problem("  requests: [{checks: {undr: 1s}}]\n"), HasSubstr("Did you mean 'under'?"));
}

TEST(ScenarioRules, FilesOfFeedersAreFoundFromHere) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("rules-" + std::to_string(getpid()) + ".csv");
  std::ofstream(file) << "a\n1\n";
  const std::string relative = std::filesystem::relative(file).string();
  const Outcome out = scenario_plan("  feeders:\n    - {name: rows, file: " + relative +
                                    "}\n    - {name: n, counter: {from: 5}}\n"
                                    "    - {name: r, random: {from: -1, to: 9}}\n");
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(
      out.plan.load.extra["feeders"],
      (Json::array({Json{{"name", "rows"}, {"file", std::filesystem::absolute(relative).string()}},
                    Json{{"name", "n"}, {"counter", {{"from", 5}, {"step", 1}}}},
                    Json{{"name", "r"}, {"random", {{"from", -1}, {"to", 9}}}}})));
  std::filesystem::remove(file);
  const auto problem = [](const std::string& feeder) {
    return scenario_plan("  feeders: [" + feeder + "]\n").text();
  };
  EXPECT_THAT(problem("{name: f}"),
              HasSubstr("plan.yaml:4:13: load.feeders.0: a feeder has one of"));
  EXPECT_THAT(problem("{name: f, counter: {}, random: {from: 1, to: 2}}"),
              HasSubstr("one of file"));
  EXPECT_THAT(problem("{name: f, counter: {}, order: once}"), HasSubstr("order: is for a file"));
  EXPECT_THAT(problem("{name: f, file: f.xls}"), HasSubstr("must end in .csv"));
  EXPECT_THAT(problem("{name: f, file: /none.csv}"),
              HasSubstr("cannot read /none.csv: No such file"));
  EXPECT_THAT(problem("{name: f, file: /none.csv, order: onse}"),
              HasSubstr("Did you mean 'once'?"));
  EXPECT_THAT(problem("{name: f, random: {from: 1}}"), HasSubstr("to: is missing"));
}

TEST(ScenarioRules, CredentialsAreWholeAndStaySecret) {
  const Outcome out = scenario_plan(
      "  auth: {type: oauth2, token_url: \"${AUTH_URL}\", client_id: plumb, "
      "client_secret: \"${SECRET}\"}\n");
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.extra["auth"]["client_secret"], "hunter22");
  EXPECT_EQ(out.plan.load.extra["auth"]["token_url"], "http://127.0.0.1/token");
  EXPECT_EQ(out.plan.resolved["load"]["auth"]["client_secret"], "***");
  EXPECT_EQ(out.plan.resolved["load"]["auth"]["client_id"], "plumb");
  EXPECT_THAT(out.plan.resolved.dump(), Not(HasSubstr("hunter22")));
  EXPECT_THAT(out.plan.secret_values, testing::Contains("hunter22"));
  EXPECT_THAT(
      scenario_plan("  requests: [{checks: {contains: [\"${SECRET}\"]}}]\n").plan.resolved.dump(),
      Not(HasSubstr("hunter22")));
  const auto problem = [](const std::string& auth) {
    return scenario_plan("  auth: " + auth + "\n").text();
  };
  EXPECT_THAT(problem("{type: basic, user: a}"),
              HasSubstr("plan.yaml:4:3: load.auth.password: is missing"));
  EXPECT_THAT(problem("{type: basic, user: a, password: hunter22, token: hunter22}"),
              AllOf(HasSubstr("load.auth.token: is for bearer, and load.auth.type is basic"),
                    Not(HasSubstr("hunter22"))));
  EXPECT_THAT(problem("{type: oauth2, token_url: 'http://127.0.0.1/t', client_id: c}"),
              HasSubstr("load.auth.client_secret: is missing"));
  EXPECT_THAT(problem("{token: x}"), HasSubstr("load.auth.type: is missing"));
  EXPECT_THAT(problem("{type: jwt, secret: s, ttl: 5}"), HasSubstr("with its unit"));
  EXPECT_THAT(scenario_plan("  bearer: x\n  auth: {type: bearer, token: y}\n").text(),
              HasSubstr("both auth and bearer are given"));
}

TEST(ScenarioRules, SecretsGoOnlyWhereTheyMay) {
  const std::string auth =
      "  auth: {type: oauth2, client_id: c, client_secret: s, token_url: "
      "'https://id.example.org/t'}\n";
  EXPECT_THAT(
      scenario_plan(auth).text(),
      AllOf(HasSubstr("plan.yaml:4:"), HasSubstr("load.auth.token_url: id.example.org is not "),
            HasSubstr("allow: [id.example.org]")));
  EXPECT_TRUE(scenario_plan(auth, "allow: [ID.example.org]\n").ok());
  EXPECT_THAT(scenario_plan("  auth: {type: oauth2, client_id: c, client_secret: s, "
                            "token_url: 'http://127.0.0.1@evil.org/t'}\n")
                  .text(),
              HasSubstr("load.auth.token_url: no user or password belongs here"));
  EXPECT_THAT(scenario_plan("  auth: {type: oauth2, client_id: c, client_secret: s, "
                            "token_url: 'http://127.0.0.1\\@evil.org/t'}\n")
                  .ok(),
              testing::IsFalse());
}

}  // namespace
}  // namespace plumb::plan
