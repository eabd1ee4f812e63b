#include "core/plan/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan/plan_for_tests.h"

namespace plumb::plan {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kPlan =
    "target: {url: 'http://127.0.0.1:1'}\nload: {users: 7, duration: 7s}\n";

Outcome layered(std::string_view text, std::vector<Override> overrides,
                std::map<std::string, std::string> environment = {}) {
  Inputs inputs = inputs_for_tests();
  inputs.overrides = std::move(overrides);
  inputs.environment = std::move(environment);
  return parse_plan(text, "plan.yaml", inputs);
}

TEST(Layers, FlagsWinOverVariablesOverThePlanOverTheProfileOverDefaults) {
  const std::string plan = std::string(kPlan) + "run_dir: from-plan\n";
  Outcome out = layered(plan, {});
  EXPECT_EQ(out.plan.load.users, 7);
  EXPECT_EQ(out.plan.origins["load.users"].source, "plan:2");

  out = layered(plan, {}, {{"PLUMB_LOAD_USERS", "8"}});
  EXPECT_EQ(out.plan.load.users, 8);
  EXPECT_EQ(out.plan.origins["load.users"].source, "PLUMB_LOAD_USERS");

  out = layered(plan, {{"load.users", "9", "--users"}}, {{"PLUMB_LOAD_USERS", "8"}});
  EXPECT_EQ(out.plan.load.users, 9);
  EXPECT_EQ(out.plan.origins["load.users"].source, "--users");

  out = layered("target: {url: 'http://[::1]'}\nload: {profile: moderate, duration: 3s}\n", {});
  EXPECT_EQ(out.plan.load.users, 20);
  EXPECT_EQ(out.plan.origins["load.users"].source, "profile moderate");
  EXPECT_EQ(out.plan.load.duration, seconds(3));
  EXPECT_EQ(out.plan.origins["load.duration"].source, "plan:2");
  EXPECT_EQ(out.plan.origins["load.warmup"].source, "default");
}

TEST(Layers, AProfileGivenAsAFlagWinsOverThePlanAndYieldsToOtherFlags) {
  Outcome out = layered(kPlan, {{"load.profile", "heavy", "--profile"}});
  EXPECT_EQ(out.plan.load.users, 50);
  EXPECT_EQ(out.plan.load.duration, seconds(60));
  out = layered(kPlan, {{"load.profile", "heavy", "--profile"}, {"load.users", "3", "--users"}});
  EXPECT_EQ(out.plan.load.users, 3);
  EXPECT_EQ(out.plan.load.duration, seconds(60));
  out = layered(kPlan, {}, {{"PLUMB_LOAD_PROFILE", "heavy"}, {"PLUMB_LOAD_DURATION", "2s"}});
  EXPECT_EQ(out.plan.load.users, 50);
  EXPECT_EQ(out.plan.load.duration, seconds(2));
}

TEST(Layers, EveryProfileIsAPlanOnItsOwn) {
  for (const Profile& profile : load_profiles()) {
    const Outcome out =
        layered("target: {url: 'http://[::1]'}\n", {{"load.profile", profile.name, "--profile"}});
    EXPECT_TRUE(out.ok()) << out.text();
  }
}

TEST(Layers, StagesSayTheLoadOverTime) {
  const Outcome out = layered(
      "target: {url: 'http://[::1]'}\n"
      "load:\n"
      "  stages:\n"
      "    - {warmup: 5s, rate: 50/s}\n"
      "    - {ramp: 30s, rate: 200/s}\n"
      "    - {ramp: 20s, rate: 100/s, steps: 2}\n"
      "    - {spike: 10s, users: 40, name: sale}\n",
      {});
  ASSERT_TRUE(out.ok()) << out.text();
  const Load& load = out.plan.load;
  ASSERT_EQ(load.stages.size(), 5u);
  EXPECT_EQ(load.stages[0].kind, PLUMB_STAGE_WARMUP);
  EXPECT_EQ(load.stages[1].from, 50);
  EXPECT_EQ(load.stages[1].to, 200);
  EXPECT_EQ(load.stages[2].name, "ramp 1/2");
  EXPECT_EQ(load.stages[2].from, 150);
  EXPECT_EQ(load.stages[3].to, 100);
  EXPECT_EQ(load.stages[3].duration, seconds(10));
  EXPECT_EQ(load.stages[4].model, LoadModel::kClosed);
  EXPECT_EQ(load.stages[4].name, "sale");
  EXPECT_EQ(load.warmup, seconds(5));
  EXPECT_EQ(load.duration, seconds(60));
  EXPECT_FALSE(out.plan.resolved["load"].contains("warmup"));
}

TEST(Layers, StagesThatContradictThemselvesAreNamed) {
  const auto problems = [](const std::string& load) {
    return layered("target: {url: 'http://[::1]'}\nload: " + load + "\n", {}).text();
  };
  EXPECT_THAT(problems("{rate: 5/s, stages: [{steady: 5s, rate: 1/s}]}"),
              HasSubstr("both stages and rate are given"));
  EXPECT_THAT(problems("{stages: [{steady: 5s, rate: 1/s, users: 2}]}"),
              HasSubstr("a stage has either a rate or users"));
  EXPECT_THAT(problems("{stages: [{steady: 5s, ramp: 5s, users: 2}]}"),
              HasSubstr("a stage is one of warmup, steady, ramp and spike"));
  EXPECT_THAT(problems("{stages: [{warmup: 5s, users: 2}]}"), HasSubstr("only warm up"));
  EXPECT_THAT(problems("{think: 1s, stages: [{steady: 5s, rate: 2/s}]}"),
              HasSubstr("load.think: has no effect beside stages"));
  EXPECT_THAT(problems("{stages: []}"), HasSubstr("lists no stage"));
  EXPECT_THAT(problems("{stages: [{steady: 1s, users: 0}]}"), HasSubstr("no load at all"));
  EXPECT_THAT(problems("{replay: /no/such/file}"), HasSubstr("cannot read /no/such/file"));
}

TEST(Layers, AFlagGoesBeforeStages) {
  const std::string plan =
      "target: {url: 'http://[::1]'}\nload: {stages: [{steady: 5s, rate: 1/s}]}\n";
  Outcome out = layered(plan, {{"load.users", "3", "--users"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_TRUE(out.plan.load.stages.empty());
  EXPECT_EQ(out.plan.load.users, 3);
  out = layered("target: {url: 'http://[::1]'}\nload: {users: 5}\n",
                {{"load.profile", "spike", "--profile"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.stages.size(), 4u);
}

TEST(Layers, AHigherLayerMayChangeTheModel) {
  Outcome out = layered(kPlan, {{"load.rate", "50/s", "--rate"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.model, LoadModel::kOpen);
  EXPECT_EQ(out.plan.load.users, 0);
  EXPECT_FALSE(out.plan.resolved["load"].contains("users"));

  out = layered("target: {url: 'http://[::1]'}\nload: {model: open, rate: 5/s}\n",
                {{"load.profile", "smoke", "--profile"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.model, LoadModel::kClosed);
  EXPECT_EQ(out.plan.load.rate, 0);

  out = layered("target: {url: 'http://[::1]'}\nload: {model: open, rate: 5/s}\n",
                {{"load.users", "5", "--users"}});
  EXPECT_THAT(out.text(), HasSubstr("--users: load.users: is for the closed model"));
}

TEST(Layers, ListItemsAndPluginsCanBeSet) {
  const Outcome out = layered(kShopPlan, {{"load.requests.0.path", "/cart"},
                                          {"load.requests[1].weight", "2"},
                                          {"load.requests.2.path", "/new"},
                                          {"plugins.pg_stats.dsn", "x=${NOT_REPLACED}"},
                                          {"plugins.pg_stats.window", "4s"},
                                          {"load.requests.1.json", "{a: [1, \"2\"]}"},
                                          {"target.start", "[a, b]"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.requests[0].path, "/cart");
  EXPECT_EQ(out.plan.load.requests[1].weight, 2);
  EXPECT_EQ(out.plan.load.requests[1].body, R"({"a":[1,"2"]})");
  EXPECT_EQ(out.plan.load.requests[2].name, "/new");
  EXPECT_EQ(out.plan.plugins[1].options["dsn"], "x=${NOT_REPLACED}");
  EXPECT_EQ(out.plan.plugins[1].options["window"], 4'000'000'000);
  EXPECT_EQ(out.plan.target.start, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(out.plan.origins.at("load.requests.0.path").source, "--set");
}

TEST(Layers, VariablesReachListItemsAndPlugins) {
  const Outcome out = layered(kShopPlan, {},
                              {{"PLUMB_LOAD_REQUESTS_1_PATH", "/x"},
                               {"PLUMB_PLUGINS_PG_STATS_DSN", "from-env"},
                               {"PLUMB_ALLOW", "other.example"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.requests[1].path, "/x");
  EXPECT_EQ(out.plan.plugins[1].options["dsn"], "from-env");
  EXPECT_EQ(out.plan.allow, std::vector<std::string>{"other.example"});
  EXPECT_TRUE(out.warnings.empty());
}

TEST(Layers, AMisspeltVariableGivesAWarning) {
  const Outcome out = layered(kPlan, {}, {{"PLUMB_LOAD_USER", "3"}, {"PLUMB_OTHER", "x"}});
  ASSERT_EQ(out.warnings.size(), 1u);
  EXPECT_THAT(out.warnings[0], HasSubstr("Did you mean 'PLUMB_LOAD_USERS'?"));
}

TEST(Layers, WrongOverridesNameTheirFlagOrVariable) {
  EXPECT_THAT(layered(kPlan, {{"load.duration", "soon"}}).text(),
              HasSubstr("--set: load.duration: expected a duration such as"));
  EXPECT_THAT(layered(kPlan, {}, {{"PLUMB_LOAD_DURATION", "soon"}}).text(),
              HasSubstr("PLUMB_LOAD_DURATION: load.duration: expected a duration"));
  EXPECT_THAT(layered(kPlan, {{"load.ratee", "5/s"}}).text(),
              HasSubstr("--set: unknown key \"ratee\" in load\n    Did you mean 'rate'?"));
  EXPECT_THAT(layered(kPlan, {{"lod.rate", "5/s"}}).text(), HasSubstr("unknown key \"lod\""));
  EXPECT_THAT(layered(kPlan, {{"", "5/s"}}).text(), HasSubstr("a key is words with dots"));
  EXPECT_THAT(layered(kPlan, {{"load.users.x", "5"}}).text(),
              HasSubstr("nothing below a plain value"));
  EXPECT_THAT(layered(kShopPlan, {{"load.requests.9.path", "/"}}).text(),
              HasSubstr("the list has 2 items, counted from 0; \"9\" is none of them"));
  EXPECT_THAT(layered(kPlan, {{"target.start", "[a"}}).text(), HasSubstr("--set: target.start: "));
  EXPECT_THAT(layered(kPlan, {{"name", "\xff"}}).text(), HasSubstr("not UTF-8"));
}

TEST(Layers, VariablesInThePlanAreSubstituted) {
  const Outcome out = layered(
      "name: \"${A}-${B:-b}-${C:-c}-$${A}\"\ntarget: {url: \"http://127.0.0.1:${PORT}\"}\n"
      "load: {users: \"${USERS}\", requests: [{json: {n: \"${USERS}\", m: ${EMPTY:-5} }}]}\n",
      {}, {{"A", "x"}, {"C", ""}, {"PORT", "81"}, {"USERS", "3"}});
  EXPECT_FALSE(out.ok());
  const Outcome good = layered(
      "name: \"${A}-${B:-b}-${C:-c}-$${A}\"\ntarget: {url: \"http://127.0.0.1:${PORT}\"}\n"
      "load:\n  users: ${USERS}\n",
      {}, {{"A", "x"}, {"C", ""}, {"PORT", "81"}, {"USERS", "3"}});
  ASSERT_TRUE(good.ok()) << good.text();
  EXPECT_EQ(good.plan.name, "x-b-c-${A}");
  EXPECT_EQ(good.plan.target.port, 81);
  EXPECT_EQ(good.plan.load.users, 3);
}

TEST(Layers, AnOverriddenValueNeedsNoVariable) {
  EXPECT_TRUE(
      layered("target: {url: 'http://[::1]'}\nload:\n  users: ${UNSET}\n", {{"load.users", "2"}})
          .ok());
}

TEST(Layers, HidesWhatTheEnvironmentGivesToARequest) {
  const Outcome out = layered(
      "target: {url: 'http://[::1]'}\nload:\n  users: 1\n  requests:\n"
      "    - {name: a, path: '/?key=${TOK}', headers: {X-Custom: 'v ${TOK}'},\n"
      "       json: {user: me, note: '${TOK}', password: hunter22}}\n",
      {}, {{"TOK", "s3cret99"}});
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.requests[0].path, "/?key=s3cret99");
  EXPECT_THAT(out.plan.load.requests[0].body, HasSubstr("hunter22"));
  const std::string resolved = out.plan.resolved.dump();
  EXPECT_EQ(resolved.find("s3cret99"), std::string::npos) << resolved;
  EXPECT_EQ(resolved.find("hunter22"), std::string::npos) << resolved;
  EXPECT_THAT(resolved, HasSubstr("\"user\":\"me\""));
  EXPECT_THAT(out.plan.secret_values,
              testing::IsSupersetOf({std::string("s3cret99"), std::string("hunter22"),
                                     std::string("/?key=s3cret99")}));
}

}  // namespace
}  // namespace plumb::plan
