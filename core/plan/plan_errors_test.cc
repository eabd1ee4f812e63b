// Every way in which a plan can be wrong, with the exact place that the message names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan/load_plan.h"
#include "core/plan/plan_for_tests.h"

namespace plumb::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Outcome outcome_of(std::string_view text) {
  Inputs inputs = inputs_for_tests();
  inputs.environment["DATABASE_URL"] = "postgres://app:hunter22@127.0.0.1/shop";
  return parse_plan(text, "plan.yaml", inputs);
}

// A plan with `line` as its fourth line, in `load`, which begins in the third.
std::string with_load(const std::string& line) {
  return "target:\n  url: http://127.0.0.1:1\nload:\n  " + line + "\n";
}

struct Case {
  const char* load_line;
  const char* place;
  const char* says;
};

class WrongLoad : public testing::TestWithParam<Case> {};

TEST_P(WrongLoad, IsNamedWithItsPlace) {
  const Outcome out = outcome_of(with_load(GetParam().load_line));
  ASSERT_FALSE(out.ok());
  EXPECT_THAT(out.problems[0].text(),
              testing::StartsWith("plan.yaml:" + std::string(GetParam().place) + ": "));
  EXPECT_THAT(out.text(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, WrongLoad,
    testing::Values(
        Case{"rate: fast", "4:9", "load.rate: expected a rate such as 200/s, got \"fast\""},
        Case{"rate: 200", "4:9", "with its unit: 200/s"},
        Case{"rate: -5/s", "4:9", "it cannot be negative"},
        Case{"rate: 0/s", "4:9", "load.rate: at least 0.001/s is allowed, got \"0/s\""},
        Case{"rate: 2000000/s", "4:9", "at most 1000000/s is allowed"},
        Case{"rate: [1/s]", "4:9", "expected a rate such as 200/s, got a list"},
        Case{"rate: {a: 1}", "4:9", "expected a rate such as 200/s, got keys"},
        Case{"rate:", "4:3", "load.rate: has no value: expected a rate such as 200/s"},
        Case{"users: many", "4:10", "load.users: expected a whole number, got \"many\""},
        Case{"users: 2.5", "4:10", "expected a whole number"},
        Case{"users: 0", "4:10", "at least 1 is allowed"},
        Case{"users: -3", "4:10", "at least 1 is allowed"},
        Case{"users: 20000", "4:10", "at most 10000 is allowed, got \"20000\""},
        Case{"{users: 5, duration: 30}", "4:24", "with its unit: 30s or 30ms"},
        Case{"{users: 5, duration: 25h}", "4:24", "at most 24h is allowed"},
        Case{"{users: 5, duration: 0s}", "4:24", "at least 100ms is allowed"},
        Case{"{users: 5, durations: 3s}", "4:14", "Did you mean 'duration'?"},
        Case{"{users: 5, model: opn}", "4:21", "expected one of open, closed, got \"opn\""},
        Case{"{users: 5, profile: huge}", "4:23", "expected one of smoke, light"},
        Case{"{users: 5, users: 6}", "4:14", "duplicate key \"users\", first given in line 4"},
        Case{"{users: 5, rate: 3/s}", "4:11", "both rate and users are given"},
        Case{"{model: open, users: 5}", "4:24", "is for the closed model, and load.model is open"},
        Case{"{model: closed, rate: 5/s}", "4:25", "is for the open model"},
        Case{"{model: open}", "4:3", "load.rate: is missing: the open model needs it"},
        Case{"{warmup: 1s}", "4:3", "load.users: is missing: the closed model needs it"},
        Case{"{users: 1, plugin: http_laod}", "4:22", "Did you mean 'http_load'?"},
        Case{"{users: 1, plugin: pg_stats}", "4:22", "there is no load plugin \"pg_stats\""},
        Case{"{users: 1, requests: []}", "4:24", "lists no request"},
        Case{"{users: 1, requests: x}", "4:24", "expected a list, got a plain value"},
        Case{"{users: 1, requests: [x]}", "4:25", "load.requests.0: expected keys such as name"},
        Case{"{users: 1, requests: [{pth: /}]}", "4:26", "Did you mean 'path'?"},
        Case{"{users: 1, requests: [{path: orders}]}", "4:32", "a path begins with a slash"},
        Case{"{users: 1, requests: [{path: /a b}]}", "4:32", "a path takes no blanks"},
        Case{"{users: 1, requests: [{method: GTE}]}", "4:34", "Did you mean 'GET'?"},
        Case{"{users: 1, requests: [{weight: 0}]}", "4:34", "at least 0.001 is allowed"},
        Case{"{users: 1, requests: [{expect: [99]}]}", "4:35", "at least 100 is allowed"},
        Case{"{users: 1, requests: [{name: a}, {name: a}]}", "4:43", "another request is called"},
        Case{"{users: 1, requests: [{json: 1, body: x}]}", "4:32", "both body and json"},
        Case{"{users: 1, requests: [{headers: {Host: x}}]}", "4:35", "set by the load plugin"},
        Case{"{users: 1, requests: [{headers: {A: \"x\\ny\"}}]}", "4:35", "control character"},
        Case{"{users: 1, requests: [{headers: {'A b': x}}]}", "4:35", "no name of a header"}));

TEST(PlanErrors, MissingPartsAreNamed) {
  EXPECT_THAT(outcome_of("").problems[0].text(), HasSubstr("plan.yaml:1:1: target: is missing"));
  EXPECT_THAT(outcome_of("load: {users: 1}\n").problems[0].text(),
              HasSubstr("plan.yaml:1:1: target: is missing"));
  EXPECT_THAT(outcome_of("target: {}\nload: {users: 1}\n").problems[0].text(),
              HasSubstr("plan.yaml:1:1: target.url: is missing"));
  EXPECT_THAT(outcome_of("\ntarget:\nload: {users: 1}\n").problems[0].text(),
              HasSubstr("plan.yaml:2:1: target.url: is missing"));
  EXPECT_THAT(outcome_of("target: {url: ''}\nload: {users: 1}\n").problems[0].text(),
              HasSubstr("plan.yaml:1:15: target.url: is empty"));
  EXPECT_THAT(outcome_of("target: {url: 'http://[::1]'}\nload:\n").text(),
              HasSubstr("load.users: is missing"));
  EXPECT_THAT(outcome_of("- a\n").problems[0].text(), HasSubstr("plan.yaml:1:1: a plan is a map"));
}

TEST(PlanErrors, AllProblemsAreToldInTheOrderOfTheFile) {
  const Outcome out = outcome_of(
      "targets: {}\n"
      "load:\n"
      "  rate: fast\n"
      "  durration: 5s\n"
      "plugins: {pg_stat: {}}\n"
      "slos: [{endpoint: x, p95: 1s}]\n");
  std::vector<std::string> places;
  for (const Problem& problem : out.problems)
    places.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column));
  EXPECT_THAT(places, ElementsAre("1:1", "1:1", "3:9", "4:3", "5:11", "6:19")) << out.text();
}

TEST(PlanErrors, PluginsThatAreNotInstalledAreNamedWithTheNearest) {
  const Outcome out =
      outcome_of(with_load("users: 1\nplugins:\n  pg_stast: {dsn: \"${DATABASE_URL}\"}"));
  ASSERT_EQ(out.problems.size(), 1u) << out.text();
  EXPECT_THAT(out.text(), HasSubstr("plan.yaml:6:3: there is no plugin \"pg_stast\""));
  EXPECT_THAT(out.text(), HasSubstr("Did you mean 'pg_stats'? Installed: http_load, host_metrics"));
  EXPECT_THAT(out.text(), Not(HasSubstr("hunter22")));
}

TEST(PlanErrors, ARequiredOptionIsMissedAtThePluginsLine) {
  const Outcome out = outcome_of(with_load("users: 1\nplugins:\n  host_metrics:\n  pg_stats:"));
  ASSERT_EQ(out.problems.size(), 1u) << out.text();
  EXPECT_THAT(out.text(), HasSubstr("plan.yaml:7:3: plugins.pg_stats.dsn: is missing"));
}

TEST(PlanErrors, OptionsOfPluginsAreChecked) {
  const Outcome out = outcome_of(
      with_load("users: 1\nplugins:\n  pg_stats: {dsn: [hunter22], statement_limit: x, bufer: "
                "1, buffer: 2MiB}"));
  EXPECT_THAT(out.text(),
              HasSubstr("plan.yaml:6:19: plugins.pg_stats.dsn: expected text, got a list"));
  EXPECT_THAT(out.text(),
              HasSubstr("plan.yaml:6:48: plugins.pg_stats.statement_limit: expected a whole"));
  EXPECT_THAT(out.text(), HasSubstr("plan.yaml:6:51: unknown key \"bufer\" in plugins.pg_stats"));
  EXPECT_THAT(out.text(), HasSubstr("at most 1MiB is allowed, got \"2MiB\""));
  EXPECT_THAT(out.text(), Not(HasSubstr("hunter22")));
}

TEST(PlanErrors, VariablesMustBeSet) {
  const Outcome out = outcome_of(with_load("users: \"${USERS}\""));
  ASSERT_FALSE(out.ok());
  EXPECT_THAT(out.problems[0].text(),
              HasSubstr("plan.yaml:4:10: load.users: the environment variable USERS is not set"));
  EXPECT_THAT(outcome_of(with_load("users: \"${1X}\"")).text(),
              HasSubstr("is no name of a variable"));
  EXPECT_THAT(outcome_of(with_load("users: \"${USERS\"")).text(), HasSubstr("${ without its }"));
}

TEST(PlanErrors, AValueOfTheEnvironmentIsNeverShown) {
  const Outcome out = outcome_of(with_load("rate: \"${DATABASE_URL}\""));
  EXPECT_THAT(out.text(),
              HasSubstr("expected a rate such as 200/s, got something else (not shown)"));
  EXPECT_THAT(out.text(), Not(HasSubstr("hunter22")));
}

TEST(PlanErrors, ValuesFromOutsideAreCutAndCleaned) {
  const Outcome out = outcome_of(with_load("rate: \"\\e[31m" + std::string(500, 'x') + "\""));
  EXPECT_LT(out.text().size(), 300u);
  EXPECT_EQ(out.text().find('\x1b'), std::string::npos);
}

TEST(PlanErrors, SlosMustNameARequestAndALimit) {
  const std::string start = with_load("users: 1\n  requests: [{name: orders}]");
  EXPECT_THAT(outcome_of(start + "slos:\n  - {endpoint: order, p95: 5ms}\n").text(),
              HasSubstr("plan.yaml:7:16: slos.0.endpoint: no request is called \"order\". Did you "
                        "mean 'orders'?\n    there are: \"orders\""));
  EXPECT_THAT(outcome_of(start + "slos:\n  - {endpoint: orders}\n").text(),
              HasSubstr("plan.yaml:7:5: slos.0: has no limit"));
  EXPECT_THAT(outcome_of(start + "slos:\n  - {p95: 5}\n").text(),
              AllOf(HasSubstr("with its unit: 5s or 5ms"), Not(HasSubstr("has no limit"))));
  EXPECT_THAT(outcome_of(start + "slos:\n  - {error_rate: 200%}\n").text(),
              HasSubstr("expected a share such as 0.1% or 0.001, 100% at most"));
}

TEST(PlanErrors, WhatIsWrongWithADefaultIsSaidWhereItCouldBeGiven) {
  EXPECT_THAT(outcome_of(with_load("users: 1\n  requests: [{path: /a}, {path: /a}]")).text(),
              HasSubstr("plan.yaml:5:26: load.requests.1.name: another request is called"));
}

TEST(PlanErrors, AnSloOfAFactNamesTheFactAndOneLimit) {
  const auto slo = [](const std::string& inside) {
    return outcome_of(with_load("users: 1\n  requests: [{name: orders}]") + "slos:\n  - {" +
                      inside + "}\n")
        .text();
  };
  EXPECT_THAT(slo("at_most: 5MB"), HasSubstr("slos.0.at_most: limits nothing"));
  EXPECT_THAT(slo("fact: target_memory_bytes.max"), HasSubstr("slos.0.fact: has no limit"));
  EXPECT_THAT(slo("fact: x, at_most: 5, at_least: 1"), HasSubstr("has two limits"));
  EXPECT_THAT(slo("fact: x, at_most: a lot"), HasSubstr("\"a lot\" is no limit"));
  EXPECT_THAT(slo("preset: reed"), HasSubstr("read"));
}

TEST(PlanErrors, TheTargetIsChecked) {
  const auto target = [](const std::string& inside) {
    return outcome_of("target: {" + inside + "}\nload: {users: 1}\n").text();
  };
  EXPECT_THAT(target("url: 127.0.0.1"),
              HasSubstr("plan.yaml:1:15: target.url: expected an address"));
  EXPECT_THAT(target("url: 'http://[::1]/x'"), HasSubstr("no path belongs here"));
  const std::string url = "url: 'http://[::1]', ";
  EXPECT_THAT(target(url + "health: up"), HasSubstr("a path begins with a slash"));
  EXPECT_THAT(target(url + "start: ./shop --port 1"), HasSubstr("a command is a list of words"));
  EXPECT_THAT(target(url + "process: {port: 70000}"), HasSubstr("at most 65535 is allowed"));
  EXPECT_THAT(target(url + "process: {port: 7, pid: 7}"), HasSubstr("only one of port, pid"));
  EXPECT_THAT(target(url + "process: 8080"), HasSubstr("expected keys such as port, pid, name"));
}

TEST(PlanErrors, AQuoteThatIsNeverClosedSwallowsNothing) {
  const std::string start = "target: {url: 'http://[::1]'}\nload: {users: 1}\n";
  for (const char* quote : {"\"", "'"})
    EXPECT_THAT(outcome_of(start + "name: " + quote + "abc\nslos: [{p95: 1us}]\n").text(),
                HasSubstr("plan.yaml:3:7: the quote that begins here is never closed"))
        << quote;
  EXPECT_TRUE(outcome_of(start + "name: 'it''s \"x\"'\n").ok());
  EXPECT_TRUE(outcome_of(start + "name: \"a \\\" b\"\n").ok());
  EXPECT_TRUE(outcome_of("# \xc3\xa9 and a \" in a comment\n" + start + "name: '\xc3\xa9'\n").ok());
}

TEST(PlanErrors, ManyProblemsAreCapped) {
  std::string plan = "target: {url: 'http://[::1]'}\nload:\n  users: 1\n";
  for (int i = 0; i < 500; ++i) plan += "x" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(outcome_of(plan).problems.size(), 100u);
}

}  // namespace
}  // namespace plumb::plan
