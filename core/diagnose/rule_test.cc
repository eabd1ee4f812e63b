#include "core/diagnose/rule.h"

#include <gtest/gtest.h>

#include "core/diagnose/rule_eval.h"
#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

std::string error_of(std::string_view yaml) {
  const auto rules = parse_rules("x/rules.yaml", yaml);
  return rules.is_ok() ? "" : rules.status().message();
}

TEST(RuleParser, NamesThePlaceOfAMistake) {
  EXPECT_EQ(error_of("- id: a\n  layer: app\n  wen: 1\n"),
            "x/rules.yaml:3:3: unknown key 'wen' in a rule. Did you mean 'when'?");
  EXPECT_NE(error_of("- id: a\n  layer: moon\n  when: 1\n").find("x/rules.yaml:2:10"),
            std::string::npos);
  EXPECT_NE(error_of("- id: a\n  layer: app\n").find("could never say anything"),
            std::string::npos);
  EXPECT_NE(
      error_of("- id: a\n  layer: app\n  when: 1\n").find("needs 'says', and 'cost' or 'headroom'"),
      std::string::npos);
  EXPECT_NE(error_of("a: [").find("x/rules.yaml:1"), std::string::npos);
  EXPECT_NE(error_of("a: b").find("is a list"), std::string::npos);
}

RuleOutcome outcome_of(std::string_view yaml, RunBuilder& run) {
  const auto rules = parse_rules("x/rules.yaml", yaml);
  EXPECT_TRUE(rules.is_ok()) << rules.status().message();
  const facts::FactSet facts = facts::compute(run.data());
  return apply_rules(*rules, run.data(), facts);
}

TEST(Rules, PrintTheNumbersThatMadeThemMatch) {
  RunBuilder run;
  run.gauge("host_cpu_busy_ratio", 0.97, {}, "ratio");
  const RuleOutcome outcome = outcome_of(R"(
- id: busy
  layer: host
  let: {busy: host_cpu_busy_ratio.mean}
  define: {twice: {is: busy * 2, unit: seconds}}
  when: busy > 0.9
  cost: busy / 100
  says: "{busy} busy, {twice}, {unknown}"
)",
                                         run);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].says, "97% busy, 1.94 s, {unknown}");
  EXPECT_NEAR(outcome.findings[0].cost_ms, 9.7, 1e-9);
  EXPECT_EQ(outcome.findings[0].evidence.size(), 1u);
}

TEST(Rules, AreSilentWhereAFactIsMissing) {
  RunBuilder run;
  const RuleOutcome outcome = outcome_of(
      "- {id: a, layer: app, let: {x: absent.mean}, when: x > 0, cost: x, says: s}\n", run);
  EXPECT_TRUE(outcome.findings.empty());
  EXPECT_TRUE(outcome.notes.empty());
}

TEST(Rules, UseTheirFallbackWhereAFactIsMissing) {
  RunBuilder run;
  const RuleOutcome outcome = outcome_of(
      "- {id: a, layer: app, let: {x: {fact: absent.mean, or: 2}}, when: x > 1, cost: x, says: s}",
      run);
  EXPECT_EQ(outcome.findings.size(), 1u);
}

TEST(Rules, ThatCannotBeEvaluatedAreNotedAndBlameNobody) {
  RunBuilder run;
  const RuleOutcome outcome =
      outcome_of("- {id: a, layer: app, when: nonsense > 1, cost: '1', says: s}", run);
  EXPECT_TRUE(outcome.findings.empty());
  ASSERT_EQ(outcome.notes.size(), 1u);
  EXPECT_NE(outcome.notes[0].find("rule a (x/rules.yaml)"), std::string::npos);
}

TEST(Rules, ForEachSpeakOfTheItemThatCostsMost) {
  RunBuilder run;
  run.gauge("wait", 0.1, {{"peer", "a"}}).gauge("wait", 0.3, {{"peer", "b"}});
  const RuleOutcome outcome = outcome_of(R"(
- id: slow
  layer: downstream
  for_each: wait.mean
  let: {w: {fact: wait.mean, same: true}}
  when: w > 0
  cost: w
  says: "waits for {peer}"
  matrix: {component: "{peer}", metric: wait, actual: "{w}"}
)",
                                         run);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].says, "waits for b");
  ASSERT_EQ(outcome.matrix.size(), 1u);
  EXPECT_EQ(outcome.matrix[0].component, "b");
}

TEST(Rules, ShowWhatTheirCauseCostsWhereItIsThere) {
  const auto cost_shown = [](double calls) {
    RunBuilder run;
    run.gauge("calls", calls).gauge("own", 0.1);
    const RuleOutcome outcome = outcome_of(R"(
- {id: a, layer: app, let: {n: calls.mean, own: own.mean}, when: n > 8, cost: 4 * own, says: s,
   matrix: {component: Database, metric: calls, actual: "{n}", cost: own}}
- {id: b, layer: app, let: {n: calls.mean, own: own.mean}, when: n > 8, cost: 4 * own, says: s,
   matrix: {component: Database, metric: without a cost of its own, actual: "{n}"}}
)",
                                           run);
    EXPECT_EQ(outcome.matrix.size(), 2u);
    return std::pair(outcome.matrix[0].cost_ms, outcome.matrix[1].cost_ms);
  };
  EXPECT_DOUBLE_EQ(cost_shown(20).first.value_or(0), 400);
  EXPECT_DOUBLE_EQ(cost_shown(20).second.value_or(0), 400);
  EXPECT_DOUBLE_EQ(cost_shown(1).first.value_or(0), 100);
  EXPECT_FALSE(cost_shown(1).second.has_value());
}

TEST(Rules, ReadTextsFromTheFirstRowOfATable) {
  RunBuilder run;
  run.table("locks", R"({"columns":[{"key":"pid"},{"key":"who"}],"rows":[[4711,"shop"],[1,"x"]]})");
  const RuleOutcome outcome = outcome_of(R"(
- id: a
  layer: sqlite
  text:
    who: {table: locks, column: who}
    pid: {table: locks, column: pid}
    none: {table: locks, column: absent, or: nobody}
  when: 1
  cost: 1
  says: "{who} {pid} {none}"
)",
                                         run);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].says, "shop 4711 nobody");
}

TEST(Rules, TakeTheRowOfATableThatSpeaksOfTheirItem) {
  RunBuilder run;
  run.gauge("scanned", 0.1, {{"table", "users"}}).gauge("scanned", 0.3, {{"table", "orders"}});
  run.table("tables", R"({"columns":[{"key":"table"},{"key":"queries"}],
                          "rows":[["users","11"],["orders","22 33"]]})");
  run.table("statements", R"({"columns":[{"key":"query"},{"key":"text"}],
                              "rows":[["11","select users"],["33","select orders"]]})");
  const RuleOutcome outcome = outcome_of(R"(
- id: scan
  layer: database
  for_each: scanned.mean
  let: {cost_here: {fact: scanned.mean, same: true}}
  text:
    ids: {table: tables, column: queries, where: {table: "{table}"}}
    query: {table: statements, column: text, where: {query: "{ids}"}}
    nobody: {table: statements, column: text, where: {query: "44"}, or: no such statement}
  when: cost_here > 0
  cost: cost_here
  says: "{table}: {query}; {nobody}"
)",
                                         run);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].says, "orders: select orders; no such statement");
}

TEST(Rules, TakeTheVerySameTextBeforeOneThatSharesAWord) {
  RunBuilder run;
  run.gauge("held", 0.3, {{"database", "/srv/the shop.db"}});
  run.table("databases", R"({"columns":[{"key":"database"},{"key":"writer"}],
                             "rows":[["/srv/the blog.db","blog"],["/srv/the shop.db","shop"]]})");
  const RuleOutcome outcome = outcome_of(R"(
- id: writer
  layer: database
  for_each: held.mean
  let: {held: {fact: held.mean, same: true}}
  text: {who: {table: databases, column: writer, where: {database: "{database}"}}}
  when: held > 0
  cost: held
  says: "{who}"
)",
                                         run);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].says, "shop");
}

}  // namespace
}  // namespace plumb::diagnose
