#include "core/serve/posted_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan/plan_for_tests.h"

namespace plumb::serve {
namespace {

using testing::HasSubstr;

Request request_of(std::string type, std::string body) {
  Request request;
  request.head.method = "POST";
  request.head.target = "/api/v1/runs";
  request.head.headers = {{"content-type", std::move(type)}};
  request.body = std::move(body);
  return request;
}

std::string refusal_of(const std::string& body) {
  const auto read = read_posted_plan(request_of("application/json", body));
  const auto* problem = std::get_if<Problem>(&read);
  return problem && problem->status == 400 ? problem->detail : "taken";
}

TEST(PostedPlan, IsTheBodyWhenItIsYaml) {
  const auto read = read_posted_plan(request_of("text/yaml; charset=utf-8", "name: x"));
  EXPECT_EQ(std::get<PostedPlan>(read).text, "name: x");
}

TEST(PostedPlan, IsAMemberOfAJsonBody) {
  const auto read = read_posted_plan(
      request_of("application/json", R"({"plan": "name: x", "set": {"load.seed": 7, "a": "b"}})"));
  const auto& posted = std::get<PostedPlan>(read);
  EXPECT_EQ(posted.text, "name: x");
  ASSERT_EQ(posted.overrides.size(), 2u);
  EXPECT_EQ(posted.overrides[1].key, "load.seed");
  EXPECT_EQ(posted.overrides[1].value, "7");
  EXPECT_EQ(posted.overrides[1].source, "set");
}

TEST(PostedPlan, MayBeAnObject) {
  const auto read = read_posted_plan(request_of(
      "application/json",
      R"({"plan": {"target": {"url": "http://127.0.0.1:1"}, "load": {"rate": "5/s"}}})"));
  PlanPolicy policy;
  policy.plugins = plan::installed_plugins();
  const auto outcome = check_posted_plan(std::get<PostedPlan>(read), policy);
  EXPECT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(outcome.plan.load.rate, 5);
}

TEST(PostedPlan, RefusesEveryOtherBodyWithASentence) {
  EXPECT_THAT(refusal_of(""), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_of("{"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("no \"plan\""));
  EXPECT_THAT(refusal_of(R"({"plan": 7})"), HasSubstr("'plan' is not taken"));
  EXPECT_THAT(refusal_of(R"({"plan": "a", "sets": {}})"), HasSubstr("'sets' is not taken"));
  EXPECT_THAT(refusal_of(R"({"plan": "a", "set": {"b": null}})"), HasSubstr("no value for b"));
}

TEST(PostedPlan, SurvivesDeepNesting) {
  EXPECT_THAT(refusal_of(std::string(500'000, '[')), HasSubstr("no JSON object"));
  std::string deep = R"({"plan": )";
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  deep += "1" + std::string(100'001, '}');
  EXPECT_THAT(refusal_of(deep), HasSubstr("no JSON object"));
}

TEST(PostedPlan, ANameThatOnlyLooksLikeLoopbackIsAnotherMachine) {
  plan::Plan plan;
  plan.target.host = "127.0.0.1.evil.example";
  EXPECT_TRUE(check_policy(plan, {}));
  plan.target.host = "127.0.0.1";
  EXPECT_FALSE(check_policy(plan, {}));
  plan.target.host = "shop.example";
  PlanPolicy policy;
  policy.allow_hosts = {"shop.example"};
  EXPECT_FALSE(check_policy(plan, policy));
}

TEST(PostedPlan, GetsItsTokensWhereItMaySendRequests) {
  plan::Plan plan;
  plan.target.host = "127.0.0.1";
  plan.load.token_host = "id.example";
  EXPECT_THAT(check_policy(plan, {})->detail, HasSubstr("--allow-host id.example"));
  PlanPolicy policy;
  policy.allow_hosts = {"id.example"};
  EXPECT_FALSE(check_policy(plan, policy));
  plan.load.token_host = "localhost";
  EXPECT_FALSE(check_policy(plan, {}));
}

TEST(PostedPlan, LetsNoPluginTalkToAHostThatIsNotListed) {
  plan::Plan plan;
  plan.target.host = "127.0.0.1";
  plan::PluginUse& use = plan.plugins.emplace_back();
  use.name = "pg_stats";
  use.options["dsn"] = "postgresql://u@db.example/shop";
  EXPECT_THAT(check_policy(plan, {})->detail, HasSubstr("--allow-host db.example"));
  PlanPolicy policy;
  policy.allow_hosts = {"db.example"};
  EXPECT_FALSE(check_policy(plan, policy));
  use.options["dsn"] = "postgresql://u@localhost/shop";
  EXPECT_FALSE(check_policy(plan, {}));
}

TEST(PostedPlan, MayNotAskForMoreLoadThanThePolicyHas) {
  plan::Plan plan;
  plan.target.host = "127.0.0.1";
  plan.load.rate = 500;
  plan.load.warmup = std::chrono::seconds(5);
  plan.load.duration = std::chrono::seconds(55);
  PlanPolicy policy;
  EXPECT_FALSE(check_policy(plan, policy)) << "no limit by default";
  policy.most_rate = 500;
  policy.longest = std::chrono::seconds(60);
  EXPECT_FALSE(check_policy(plan, policy));
  plan.load.rate = 501;
  EXPECT_THAT(check_policy(plan, policy)->detail, HasSubstr("501 requests a second"));
  plan.load.rate = 100;
  plan.load.extra["scenarios"] = nlohmann::json::parse(R"([{"steps": ["a", "b", "a"]}])");
  EXPECT_FALSE(check_policy(plan, policy));
  plan.load.requests.emplace_back().extra["redirects"] = 1;
  EXPECT_THAT(check_policy(plan, policy)->detail, HasSubstr("600 requests a second"));
  plan.load.extra.clear();
  plan.load.requests.clear();
  plan.load.rate = 0;
  plan::LoadStage& ramp = plan.load.stages.emplace_back();
  ramp.model = plan::LoadModel::kOpen;
  ramp.to = 2'000;
  EXPECT_THAT(check_policy(plan, policy)->detail, HasSubstr("--max-rate"));
  plan.load.stages.clear();
  plan.load.duration = std::chrono::seconds(56);
  EXPECT_THAT(check_policy(plan, policy)->detail, HasSubstr("--max-duration"));
  policy = {};
  policy.most_users = 10;
  plan.load.users = 11;
  EXPECT_THAT(check_policy(plan, policy)->detail, HasSubstr("11 users"));
}

// Whoever may post a plan may not thereby read or write files as the daemon does.
TEST(PostedPlan, NamesNoFiles) {
  PlanPolicy policy;
  policy.plugins = plan::installed_plugins();
  for (const char* key : {"log: /tmp/x", "replay: /etc/passwd",
                          "users: 1, feeders: [{name: a, file: /etc/passwd.csv}]"}) {
    const PostedPlan posted{"target: {url: 'http://127.0.0.1:1'}\nload: {" +
                                std::string(key[0] == 'l' ? "rate: 1/s, " : "") + key + "}\n",
                            {}};
    const auto outcome = check_posted_plan(posted, policy);
    ASSERT_FALSE(outcome.ok()) << key;
    EXPECT_THAT(outcome.text(), HasSubstr("names no file of this machine")) << key;
    EXPECT_THAT(outcome.text(), testing::Not(HasSubstr("passwd:"))) << "not even looked at";
  }
}

}  // namespace
}  // namespace plumb::serve
