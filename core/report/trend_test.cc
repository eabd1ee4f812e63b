#include "core/report/trend.h"

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

std::string trend_golden(const std::string& name) {
  std::ifstream in(std::string(PLUMB_SOURCE_DIR) + "/core/report/testdata/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const json& became_slower() {
  static const json document = json::parse(trend_golden("trend.json"));
  return document;
}

TEST(TrendReport, TheConsoleIsWhatItWas) {
  EXPECT_EQ(trend_to_console(became_slower(), {}), trend_golden("trend_console.txt"));
}

TEST(TrendReport, AChangeStandsBeforeTheRunThatShowsItAlsoWhereThatIsNotListed) {
  const std::string text = trend_to_console(became_slower(), {}, 5);
  EXPECT_THAT(text, HasSubstr("35 earlier runs"));
  EXPECT_THAT(text, HasSubstr("p95 rose by 42%: 31.0 ms before, 44.0 ms after, with an earlier"));
}

TEST(TrendReport, TheTableOfValuesHasOneRowForEachRunAndMarksChanges) {
  const std::string csv = trend_to_csv(became_slower());
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 41);
  EXPECT_THAT(csv, HasSubstr("20261118T021500Z-7f36,2026-11-29 02:45,1,Threat,db-commit-wal,"));
  EXPECT_THAT(csv, HasSubstr("p95;p99\r\n"));
}

TEST(TrendReport, ThePageHasAChartWithAMarkWhereSomethingChanged) {
  const std::string html = trend_to_html(became_slower());
  EXPECT_THAT(html, HasSubstr("id=\"chart-latency\""));
  EXPECT_THAT(html, HasSubstr("class=\"mark\""));
  EXPECT_THAT(html, HasSubstr("p95 rose by 42%"));
  EXPECT_LT(html.size(), 200u * 1024);
}

TEST(TrendReport, HostileTextAndForgedDocumentsHarmNobody) {
  const json hostile = testing::with_every_text(became_slower(), testing::kHostile);
  const std::string html = trend_to_html(hostile);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(html, valid_utf8(html));
  EXPECT_THAT(trend_to_console(hostile, {}), Not(HasSubstr("\x1b")));
  for (const json& document :
       {json(), json{{"runs", {1, {{"started_unix_ms", 1e300}}}}},
        json{{"runs", {{{"p50_s", 1}, {"valid", true}}}}, {"changes", {{{"index", 1e18}}}}}}) {
    EXPECT_FALSE(trend_to_console(document, {}).empty());
    EXPECT_FALSE(trend_to_csv(document).empty());
    EXPECT_FALSE(trend_to_html(document).empty());
  }
}

}  // namespace
}  // namespace plumb::report
