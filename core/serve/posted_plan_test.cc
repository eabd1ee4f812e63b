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

}  // namespace
}  // namespace plumb::serve
