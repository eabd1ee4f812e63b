#include "core/diagnose/rule_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "core/diagnose/shipped_rules_for_tests.h"

namespace plumb::diagnose {
namespace {

using ::testing::HasSubstr;

const FactCatalog& catalog() {
  static const FactCatalog facts(plumb::testing::shipped_signals());
  return facts;
}

// The first thing that is wrong with a rule; empty when nothing is.
std::string problem_of(const std::string& yaml) {
  const auto rules = parse_rules("mine/r.yaml", yaml);
  EXPECT_TRUE(rules.is_ok()) << rules.status().message();
  const auto problems = check_rule(rules->at(0), catalog());
  return problems.empty() ? "" : problems.front().text;
}

TEST(RuleCheck, TakesEveryShippedRule) {
  for (const auto& file : plumb::testing::shipped_rules()) {
    const auto rules =
        parse_rules(file["origin"].get<std::string>(), file["text"].get<std::string>());
    ASSERT_TRUE(rules.is_ok()) << rules.status().message();
    for (const Rule& rule : *rules)
      for (const RuleProblem& problem : check_rule(rule, catalog())) ADD_FAILURE() << problem.text;
  }
}

TEST(RuleCheck, NamesTheNearestOfAFactThatNoRunHas) {
  EXPECT_EQ(problem_of("- {id: a, layer: host, let: {x: host_cpu_busi_ratio.mean}, when: x, "
                       "cost: x, says: s}"),
            "rule a (mine/r.yaml): let.x asks for the fact 'host_cpu_busi_ratio.mean', which no "
            "run has. Did you mean 'host_cpu_busy_ratio.mean'?");
}

TEST(RuleCheck, HoldsLabelsAgainstWhatIsListed) {
  const auto with = [](const std::string& let) {
    return problem_of("- {id: a, layer: database, let: {x: " + let +
                      ", t: ledger.total}, when: x > 1, cost: t, says: s}");
  };
  EXPECT_EQ(with("{fact: pg_sessions.mean, labels: {class: lock}}"), "");
  EXPECT_THAT(with("{fact: pg_sessions.mean, labels: {class: lok}}"),
              HasSubstr("Did you mean 'lock'"));
  EXPECT_THAT(with("{fact: pg_sessions.mean, labels: {kind: lock}}"), HasSubstr("no label 'kind'"));
  EXPECT_THAT(with("pg_sessions.mean"), HasSubstr("has the label 'class'"));
  EXPECT_THAT(with("{fact: pg_sessions.mean, same: true}"), HasSubstr("no for_each"));
}

TEST(RuleCheck, FindsACostThatIsNotInSeconds) {
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {x: host_cpu_busy_ratio.mean}, when: x > 1, "
                         "cost: x, says: s}"),
              HasSubstr("cost is said to be in seconds, and is not"));
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {x: ledger.total, r: requests.rate}, "
                         "when: x > 1, cost: x * r, says: s}"),
              HasSubstr("cost is said to be in seconds"));
  EXPECT_EQ(problem_of("- {id: a, layer: host, let: {x: ledger.total, r: requests.rate}, "
                       "when: x > 1, cost: 'x > 0.001 ? x : 2 / r', says: s}"),
            "")
      << "a threshold is of no scale and no mistake";
}

TEST(RuleCheck, FindsADefinitionThatIsNotInItsUnit) {
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {x: host_memory_available_bytes.min, "
                         "y: ledger.total}, define: {z: {is: x / y, unit: ratio}}, when: z > 1, "
                         "cost: y, says: s}"),
              HasSubstr("define.z is said to be in ratio"));
}

TEST(RuleCheck, FindsANameThatATemplateDoesNotKnow) {
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {total: ledger.total}, when: total > 1, "
                         "cost: total, says: 'takes {totl}'}"),
              HasSubstr("Did you mean 'total'"));
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {total: ledger.total}, when: total > 1, "
                         "cost: total, says: 'takes {total!sqll}'}"),
              HasSubstr("unknown form"));
  EXPECT_EQ(problem_of("- {id: a, layer: host, let: {total: ledger.total}, when: total > 1, "
                       "cost: total, says: s, check: \"awk '{print $1}' x; curl -w "
                       "'%{http_code}'\"}"),
            "")
      << "the braces of commands are their own";
}

TEST(RuleCheck, FindsAnExpressionThatCannotBeEvaluated) {
  EXPECT_THAT(problem_of("- {id: a, layer: host, let: {t: ledger.total}, when: nonsense > 1, "
                         "cost: t, says: s}"),
              HasSubstr("when: 'nonsense > 1'"));
}

TEST(RuleCheck, LetsTheMetricsOfTheTargetBeWhatTheyAre) {
  EXPECT_EQ(problem_of("- {id: a, layer: app, let: {x: scraped_my_queue.mean, t: ledger.total}, "
                       "when: x > 1, cost: t, says: s}"),
            "");
}

// docs/signals.md and the plugins' lists name the same series.
TEST(SignalLists, AreWhatTheDocumentationSays) {
  const std::string doc =
      plumb::testing::text_of_file(std::filesystem::path(PLUMB_SOURCE_DIR) / "docs/signals.md");
  for (const ListedSeries& series : plumb::testing::shipped_signals())
    EXPECT_NE(doc.find("`" + series.name), std::string::npos)
        << series.name << " is listed by its plugin and not in docs/signals.md";
  const SignalList list = plumb::testing::shipped_signals();
  const std::regex row(R"(^\| (`[^|]*`) \|)");
  const std::regex name("`([a-z][a-z0-9_]*_[a-z0-9_]+)`");
  std::istringstream lines(doc);
  bool of_series = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| series |")) of_series = true;
    if (!line.starts_with("|")) of_series = false;
    std::smatch cells;
    if (!of_series || !std::regex_search(line, cells, row)) continue;
    const std::string names = cells[1];
    for (std::sregex_iterator at(names.begin(), names.end(), name), end; at != end; ++at) {
      const std::string series = (*at)[1];
      if (series.starts_with("track_") || series.starts_with("pg_stat_")) continue;
      EXPECT_TRUE(find_listed(list, series) != nullptr ||
                  find_listed(engine_signals(), series) != nullptr)
          << series << " is in docs/signals.md and no plugin lists it";
    }
  }
}

TEST(SignalLists, SayHowASeriesDiffersFromWhatIsListed) {
  const auto list = parse_signals(
      "x", "- {name: waits, kind: gauge, unit: seconds, labels: {peer: []}, layer: app}");
  ASSERT_TRUE(list.is_ok()) << list.status().message();
  SeriesInfo series;
  series.name = "waits";
  series.unit = "seconds";
  series.layer = PLUMB_LAYER_APP;
  series.labels = {{"peer", "a"}};
  EXPECT_EQ(difference_to_list(*list, series), "");
  series.unit = "ms";
  EXPECT_EQ(difference_to_list(*list, series), "waits is in 'ms', listed in 'seconds'");
  series.unit = "seconds";
  series.labels = {};
  EXPECT_THAT(difference_to_list(*list, series), HasSubstr("other labels"));
  series.name = "other";
  EXPECT_EQ(difference_to_list(*list, series), "other is not listed");
}

TEST(SignalLists, NameThePlaceOfAMistake) {
  const auto list = parse_signals("p/signals.yaml", "- {name: a, kind: gage, unit: s}");
  ASSERT_FALSE(list.is_ok());
  EXPECT_EQ(list.status().message(), "p/signals.yaml:1:3: kind is counter, gauge or histogram");
}

}  // namespace
}  // namespace plumb::diagnose
