#include "core/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/report/plain_text.h"
#include "core/report/testdata/hostile_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string golden(const std::string& name) {
  std::ifstream in(std::string(PLUMB_SOURCE_DIR) + "/core/report/testdata/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A service whose commits became slow, against two runs before that.
const json& slow_commits() {
  static const json document = json::parse(golden("comparison.json"));
  return document;
}

TEST(ComparisonReport, TheConsoleIsWhatItWas) {
  EXPECT_EQ(comparison_to_console(slow_commits(), {}), golden("comparison_console.txt"));
}

TEST(ComparisonReport, TheCommentIsWhatItWas) {
  EXPECT_EQ(comparison_to_markdown(slow_commits()), golden("comparison.md"));
}

TEST(ComparisonReport, WhatMayBeTheMachinesIsLeftOpenAndNotShortOfData) {
  json document = slow_commits();
  document["client"][0]["verdict"] = "insufficient_data";
  document["client"][0]["reason"] = "the hypervisor kept 4% of the processors";
  document["ledger"]["lines"][0]["verdict"] = "insufficient_data";
  const std::string console = comparison_to_console(document, {});
  EXPECT_THAT(console, HasSubstr("  left open: the hypervisor kept 4% of the processors"));
  EXPECT_THAT(console, Not(HasSubstr("insufficient_data")));
  EXPECT_THAT(comparison_to_html(document), HasSubstr("left open: the hypervisor kept 4%"));
  EXPECT_THAT(comparison_to_markdown(document), HasSubstr("| left open |"));
}

TEST(ComparisonReport, NoLineIsWiderThanTheTerminal) {
  for (const int width : {60, 80, 100, 140}) {
    ConsoleOptions options;
    options.width = width;
    std::istringstream lines(comparison_to_console(slow_commits(), options));
    for (std::string line; std::getline(lines, line);) {
      // A command is copied whole.
      if (line.starts_with("Which functions: ")) continue;
      EXPECT_LE(columns_of(line), static_cast<size_t>(width)) << line;
    }
  }
}

TEST(ComparisonReport, ThePageHasABarForEveryChangeAndTheLedgersLines) {
  const std::string html = comparison_to_html(slow_commits());
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(html, HasSubstr("<rect class=\"worse\""));
  EXPECT_THAT(html, HasSubstr("<rect class=\"alike\""));
  EXPECT_THAT(html, HasSubstr("WAL write and sync at commit"));
  EXPECT_THAT(html, HasSubstr("plumb report 0003 --diff 0001 --format html"));
  EXPECT_LT(html.find("id=\"client\""), html.find("id=\"layers\""));
  EXPECT_LT(html.size(), 200u * 1024);
}

TEST(ComparisonReport, TheDocumentTellsOfOneFigureWhatWasFound) {
  compare::Comparison comparison;
  compare::Change change;
  change.metric = "p95";
  change.unit = "seconds";
  change.base = 0.05;
  change.run = 0.06;
  change.difference = 0.01;
  change.low = 0.008;
  change.high = 0.012;
  change.p = 0.0001;
  change.q = 0.001;
  change.verdict = compare::ChangeVerdict::kRegressed;
  comparison.client.push_back(change);
  const json document = comparison_json(comparison);
  const json& row = document["client"][0];
  EXPECT_EQ(row["name"], "p95");
  EXPECT_EQ(row["relative"]["value"], 0.2);
  EXPECT_EQ(row["verdict"], "regressed");
  EXPECT_TRUE(row["subject"].is_null());
  EXPECT_TRUE(document["verdict"]["regressed"]);
  EXPECT_TRUE(document["ledger"]["responsible"].is_null());
  EXPECT_TRUE(document["ledger"]["explanation"].is_null());
}

TEST(ComparisonReport, HostileTextAndForgedDocumentsHarmNobody) {
  const json hostile = testing::with_every_text(slow_commits(), testing::kHostile);
  const std::string html = comparison_to_html(hostile);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(html, valid_utf8(html));
  EXPECT_THAT(comparison_to_console(hostile, {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(comparison_to_markdown(hostile), Not(HasSubstr("<img")));
  for (const json& document : {json(), json::array(), json{{"client", 5}},
                               json{{"client", {1, nullptr, {{"verdict", 7}}}}, {"base", {3}}}}) {
    EXPECT_FALSE(comparison_to_console(document, {}).empty());
    EXPECT_FALSE(comparison_to_markdown(document).empty());
    EXPECT_FALSE(comparison_to_html(document).empty());
  }
}

}  // namespace
}  // namespace plumb::report
