#include "core/plan/load_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/plan/plan_for_tests.h"
#include "core/plan/target_url.h"

namespace plumb::plan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

Outcome load(std::string_view text, Inputs inputs = inputs_for_tests()) {
  inputs.environment.emplace("DATABASE_URL", "postgres://app:hunter22@127.0.0.1/shop");
  return parse_plan(text, "plan.yaml", inputs);
}

TEST(LoadPlan, CarriesWhatOnlyTheLoadPluginReads) {
  const Outcome out = load(
      "target: {url: 'http://[::1]'}\n"
      "load: {users: 1, requests: [{path: /a, timeout: 250ms}, {path: /b}]}\n");
  ASSERT_TRUE(out.ok()) << out.text();
  EXPECT_EQ(out.plan.load.requests[0].extra, (nlohmann::json{{"timeout", 250'000'000}}));
  EXPECT_EQ(out.plan.load.requests[1].extra, nlohmann::json::object());
}

TEST(LoadPlan, APlanForMcpNeedsNoRequests) {
  const Outcome outcome = parse_plan(
      "target: {url: 'http://127.0.0.1:1'}\n"
      "load: {users: 1, protocol: mcp, mcp: {session: never}}\n"
      "slos: [{endpoint: tools/call search, p95: 1s}]\n",
      "plan.yaml", inputs_for_tests());
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_TRUE(outcome.plan.load.requests.empty());
  EXPECT_EQ(outcome.plan.load.extra["mcp"],
            nlohmann::json({{"path", "/mcp"}, {"session", "never"}}));
}

TEST(LoadPlan, NamesRequestsByWhatTheyCall) {
  const Outcome outcome = parse_plan(
      "target: {url: 'http://127.0.0.1:1'}\n"
      "load:\n"
      "  users: 1\n"
      "  protocol: mcp\n"
      "  requests:\n"
      "    - {tool: search, arguments: {words: [a], most: 3}}\n"
      "    - {resource: 'file:///a'}\n"
      "    - {prompt: greet}\n"
      "    - {list: tools}\n"
      "    - {rpc: add, params: [1]}\n"
      "    - {tool: search, name: other}\n",
      "plan.yaml", inputs_for_tests());
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  std::vector<std::string> names;
  for (const Request& request : outcome.plan.load.requests) names.push_back(request.name);
  EXPECT_THAT(names, testing::ElementsAre("tools/call search", "resources/read file:///a",
                                          "prompts/get greet", "tools/list", "add", "other"));
  EXPECT_EQ(
      outcome.plan.load.requests[0].extra,
      nlohmann::json::parse(R"({"tool": "search", "arguments": {"words": ["a"], "most": 3}})"));
  EXPECT_EQ(outcome.plan.load.requests[4].extra,
            nlohmann::json::parse(R"({"rpc": "add", "params": [1]})"));
}

TEST(LoadPlan, BothModelsTakeConnectionsAndStreams) {
  for (const char* level : {"users: 5", "rate: 5/s"}) {
    const Outcome out = load(std::string("target: {url: 'http://[::1]'}\nload: {protocol: http2, "
                                         "connections: 4, streams: 32, ") +
                             level + "}\n");
    ASSERT_TRUE(out.ok()) << out.text();
    EXPECT_EQ(out.plan.load.protocol, "http2");
    EXPECT_EQ(out.plan.load.connections, 4);
    EXPECT_EQ(out.plan.load.extra, (nlohmann::json{{"streams", 32}}));
  }
}

TEST(LoadPlan, ReadsThePlanOfTheDesign) {
  const Outcome out = load(kShopPlan);
  ASSERT_TRUE(out.ok()) << out.text();
  const Plan& plan = out.plan;
  EXPECT_EQ(plan.name, "shop");
  EXPECT_EQ(plan.target.url, "http://127.0.0.1:8080");
  EXPECT_EQ(plan.target.host, "127.0.0.1");
  EXPECT_EQ(plan.target.port, 8080);
  EXPECT_EQ(plan.target.process.port, 8080);
  EXPECT_EQ(plan.target.start, (std::vector<std::string>{"bin/shop", "--port", "8080"}));
  EXPECT_EQ(plan.target.health, "/health");
  EXPECT_EQ(plan.load.model, LoadModel::kOpen);
  EXPECT_EQ(plan.load.rate, 200);
  EXPECT_EQ(plan.load.warmup, seconds(5));
  EXPECT_EQ(plan.load.duration, seconds(30));
  ASSERT_EQ(plan.load.requests.size(), 2u);
  EXPECT_EQ(plan.load.requests[0].weight, 3);
  EXPECT_EQ(plan.load.requests[1].method, "POST");
  EXPECT_EQ(plan.load.requests[1].body, R"({"item":7})");
  ASSERT_EQ(plan.load.requests[1].headers.size(), 1u);
  EXPECT_EQ(plan.load.requests[1].headers[0].second, "application/json");
  ASSERT_EQ(plan.plugins.size(), 2u);
  EXPECT_EQ(plan.plugins[0].name, "host_metrics");
  EXPECT_EQ(plan.plugins[1].options["dsn"], "postgres://app:hunter22@127.0.0.1/shop");
  EXPECT_EQ(plan.plugins[1].options["window"], 2'000'000'000);
  EXPECT_EQ(plan.plugins[1].secrets, std::vector<std::string>{"dsn"});
  ASSERT_EQ(plan.slos.size(), 2u);
  EXPECT_EQ(plan.slos[0].endpoint, "orders");
  EXPECT_EQ(plan.slos[0].metric, "p95");
  EXPECT_DOUBLE_EQ(plan.slos[0].limit, 0.05);
  EXPECT_EQ(plan.slos[0].written, "50ms");
  EXPECT_EQ(plan.slos[1].metric, "error_rate");
  EXPECT_DOUBLE_EQ(plan.slos[1].limit, 0.001);
}

TEST(LoadPlan, FillsInDefaults) {
  const Outcome out = load("target: {url: localhost}\nload: {users: 5}\n");
  EXPECT_FALSE(out.ok());
  const Plan plan = load("target: {url: 'http://localhost'}\nload: {users: 5}\n").plan;
  EXPECT_EQ(plan.name, "plan");
  EXPECT_EQ(plan.target.port, 80);
  EXPECT_EQ(plan.target.health_timeout, seconds(15));
  EXPECT_EQ(plan.load.model, LoadModel::kClosed);
  EXPECT_EQ(plan.load.duration, seconds(10));
  EXPECT_EQ(plan.load.timeout, seconds(10));
  EXPECT_EQ(plan.load.seed, 1u);
  ASSERT_EQ(plan.load.requests.size(), 1u);
  EXPECT_EQ(plan.load.requests[0].name, "/");
  EXPECT_EQ(plan.load.requests[0].path, "/");
  EXPECT_EQ(plan.run_dir, "runs");
  EXPECT_EQ(plan.origins.at("load.duration").source, "default");
  EXPECT_EQ(plan.origins.at("load.users").source, "plan:2");
}

TEST(LoadPlan, ReadsEveryOtherKey) {
  const Outcome out = load(R"(
target: {url: "http://[::1]:9", health_timeout: 2s, process: {name: shop}}
load:
  users: 4
  spawn_rate: 2/s
  think: 100ms
  cooldown: 0s
  timeout: 3s
  seed: 7
  bearer: "${TOKEN:-token-1234}"
  requests:
    - path: /a
      headers: {Accept: text/html, X-Api-Key: abcdef}
      body: hello
      expect: [200, 404]
plugins:
  http_load: {threads: 2}
  host_metrics: {interval: 500ms}
  pg_stats: {dsn: x, buffer: 64KiB}
slos:
  - {p99: 1s, rate: 3/s}
allow: [staging.example]
run_dir: out
)");
  ASSERT_TRUE(out.ok()) << out.text();
  const Plan& plan = out.plan;
  EXPECT_EQ(plan.target.host, "::1");
  EXPECT_EQ(plan.target.process.name, "shop");
  EXPECT_EQ(plan.load.spawn_rate, 2);
  EXPECT_EQ(plan.load.think, milliseconds(100));
  EXPECT_EQ(plan.load.cooldown, seconds(0));
  EXPECT_EQ(plan.load.bearer, "token-1234");
  EXPECT_EQ(plan.load.plugin_options["threads"], 2);
  EXPECT_EQ(plan.load.requests[0].expect, (std::vector<int>{200, 404}));
  EXPECT_EQ(plan.load.requests[0].name, "/a");
  EXPECT_EQ(plan.plugins[0].interval, milliseconds(500));
  EXPECT_EQ(plan.plugins[1].options["buffer"], 65536);
  EXPECT_EQ(plan.slos[1].metric, "rate");
  EXPECT_EQ(plan.allow, std::vector<std::string>{"staging.example"});
  EXPECT_EQ(plan.run_dir, "out");
}

TEST(LoadPlan, SlosMayBePresetsAndFacts) {
  const Outcome out = load(R"(
target: {url: "http://localhost:80"}
load: {users: 1, requests: [{name: orders}]}
slos:
  - {endpoint: orders, preset: read, p99: 300ms}
  - {fact: target_memory_bytes.max, at_most: 64MiB}
  - {fact: pg_sessions.mean, labels: {class: cpu}, at_least: 0.5}
)");
  ASSERT_TRUE(out.ok()) << out.text();
  const std::vector<Slo>& slos = out.plan.slos;
  ASSERT_EQ(slos.size(), 5u);
  EXPECT_EQ(slos[0].metric, "p95");
  EXPECT_DOUBLE_EQ(slos[0].limit, 0.2);
  EXPECT_EQ(slos[1].metric, "p99");
  EXPECT_DOUBLE_EQ(slos[1].limit, 0.3);
  EXPECT_EQ(slos[2].written, "0.1%");
  EXPECT_TRUE(slos[3].is_fact);
  EXPECT_EQ(slos[3].unit, "bytes");
  EXPECT_DOUBLE_EQ(slos[3].limit, 64.0 * 1024 * 1024);
  EXPECT_TRUE(slos[4].at_least);
  EXPECT_EQ(slos[4].labels.front().second, "cpu");
}

TEST(LoadPlan, SecretsAreKnownAndNotInTheResolvedPlan) {
  const Outcome out = load(R"(
target: {url: "http://127.0.0.1:1"}
load:
  users: 1
  bearer: bearer-secret
  requests: [{headers: {Authorization: Basic header-secret}}]
plugins: {pg_stats: {dsn: "${DATABASE_URL}"}}
)");
  ASSERT_TRUE(out.ok()) << out.text();
  const std::string resolved = out.plan.resolved.dump();
  EXPECT_THAT(resolved, Not(HasSubstr("hunter22")));
  EXPECT_THAT(resolved, Not(HasSubstr("bearer-secret")));
  EXPECT_THAT(resolved, Not(HasSubstr("header-secret")));
  EXPECT_THAT(out.plan.secret_values,
              testing::UnorderedElementsAre("bearer-secret", "Basic header-secret",
                                            "postgres://app:hunter22@127.0.0.1/shop"));
}

TEST(LoadPlan, WhatTheQueryOfAPluginsAddressSaysIsNotInTheResolvedPlan) {
  Inputs inputs = inputs_for_tests();
  inputs.plugins.push_back(
      {.name = "prom_scrape", .options = {{.key = "url"}, {.key = "include"}}});
  const auto shown = [&](const std::string& url) {
    const Outcome out = load(
        "{target: {url: 'http://127.0.0.1:1'}, load: {users: 1, requests: [{path: /}]},"
        " plugins: {prom_scrape: {include: 'a_?b=*', url: '" +
            url + "'}}}",
        inputs);
    EXPECT_TRUE(out.ok()) << out.text();
    EXPECT_EQ(out.plan.plugins[0].options["url"], url);
    EXPECT_EQ(out.plan.resolved["plugins"]["prom_scrape"]["include"], "a_?b=*");
    return out.plan.resolved["plugins"]["prom_scrape"]["url"];
  };
  EXPECT_EQ(shown("/metrics?token=hunter22&a=b"), "/metrics?token=***&a=***");
  EXPECT_EQ(shown("http://127.0.0.1:1/m?hunter22"), "http://127.0.0.1:1/m?***");
  EXPECT_EQ(shown("/m?a=hunter22=hunter22;b#hunter22"), "/m?a=***;***#***");
  EXPECT_EQ(shown("/metrics"), "/metrics");
}

TEST(LoadPlan, TheResolvedPlanIsAPlanThatResolvesToItself) {
  const Outcome first = load(kShopPlan);
  const Outcome second = load(first.plan.resolved.dump());
  ASSERT_TRUE(second.ok()) << second.text();
  EXPECT_EQ(first.plan.resolved, second.plan.resolved);
  EXPECT_EQ(first.plan.resolved["load"]["duration"], "30s");
  EXPECT_EQ(first.plan.resolved["load"]["rate"], "200/s");
  EXPECT_EQ(first.plan.resolved["slos"][0]["error_rate"], "0.1%");
}

TEST(LoadPlan, HostsThatAreNotThisMachineMustBeAllowed) {
  const Outcome refused = load("target: {url: 'http://shop.example:80'}\nload: {users: 1}\n");
  EXPECT_THAT(refused.text(), HasSubstr("plan.yaml:1:15: target.url: shop.example is not this"));
  EXPECT_THAT(refused.text(), HasSubstr("allow: [shop.example]"));
  EXPECT_TRUE(load("target: {url: 'http://Shop.Example'}\nload: {users: 1}\n"
                   "allow: [shop.example]\n")
                  .ok());
  EXPECT_TRUE(load("target: {url: 'http://127.8.8.8'}\nload: {users: 1}\n").ok());
}

TEST(LoadPlan, AFileThatCannotBeReadIsAProblem) {
  EXPECT_THAT(read_plan("/nowhere/plan.yaml", {}).text(), HasSubstr("No such file"));
  EXPECT_THAT(read_plan("/", {}).text(), HasSubstr("not a file"));
  EXPECT_EQ(load_plan("/nowhere/plan.yaml", {}).status().code(), PLUMB_INVALID_ARGUMENT);
}

TEST(TargetUrl, IsNormalised) {
  EXPECT_EQ(parse_target_url("HTTP://LocalHost:8080/")->url, "http://localhost:8080");
  EXPECT_EQ(parse_target_url("https://a.b")->port, 443);
  EXPECT_EQ(parse_target_url("http://[::1]:80")->host, "::1");
}

TEST(TargetUrl, WhatIsNoAddressIsRefused) {
  for (const char* text :
       {"", "8080", "localhost:8080", "ftp://x", "http://", "http://x/path", "http://u:p@x",
        "http://x:0", "http://x:99999", "http://x:", "http://a b", "http://[::1", "http://[zz]",
        "http://127.1", "http://0x7f000001", "http://x?q", "http://-x"})
    EXPECT_FALSE(parse_target_url(text).is_ok()) << text;
  EXPECT_THAT(parse_target_url("http://user:hunter22@x").status().message(),
              Not(HasSubstr("hunter22")));
}

TEST(PlanReference, IsTheFileInDocs) {
  std::ifstream file(std::filesystem::path(PLUMB_SOURCE_DIR) / "docs" / "plan.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), plan_reference()) << "run: plumb docs plan > docs/plan.md";
}

TEST(PlanReference, NamesEveryKey) {
  const std::string text = plan_reference();
  for (const OptionRow& row : plan_option_table()) {
    EXPECT_FALSE(row.help.empty()) << row.key;
    EXPECT_THAT(text, HasSubstr(row.key));
  }
}

}  // namespace
}  // namespace plumb::plan
