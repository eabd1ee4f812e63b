#include <gtest/gtest.h>

#include "core/report/html_text.h"
#include "core/report/svg_bars.h"
#include "core/report/svg_chart.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

size_t count_of(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::vector<std::string> texts_of(const std::vector<Tick>& ticks) {
  std::vector<std::string> out;
  for (const Tick& tick : ticks) out.push_back(tick.text);
  return out;
}

TEST(Ticks, AreRoundNumbersInTheirUnit) {
  EXPECT_EQ(texts_of(linear_ticks(0, 150, 5, "ms")),
            (std::vector<std::string>{"0", "50", "100", "150"}));
  EXPECT_EQ(texts_of(linear_ticks(0, 1, 3, "ratio")),
            (std::vector<std::string>{"0%", "50%", "100%"}));
  EXPECT_EQ(texts_of(linear_ticks(0, 0.2, 4, "1")),
            (std::vector<std::string>{"0.00", "0.05", "0.10", "0.15", "0.20"}));
  EXPECT_EQ(texts_of(linear_ticks(0, 64.0 * 1024 * 1024, 3, "bytes")),
            (std::vector<std::string>{"0 B", "32 MiB", "64 MiB"}));
}

TEST(Ticks, OfTimeAreThoseOfAClock) {
  EXPECT_EQ(texts_of(time_ticks(0, 3)), (std::vector<std::string>{"0 s", "1 s", "2 s", "3 s"}));
  EXPECT_EQ(texts_of(time_ticks(0, 3600)).at(1), "15:00");
  EXPECT_EQ(texts_of(time_ticks(0, 3 * 3600)).back(), "3:00 h");
}

TEST(Ticks, AnAxisWithoutExtentHasNone) {
  EXPECT_TRUE(linear_ticks(1, 1, 5, "ms").empty());
  EXPECT_TRUE(time_ticks(2, 2).empty());
  EXPECT_EQ(round_above(0, "ms"), 1);
  EXPECT_GT(round_above(200, "requests/s"), 200);
}

TimeAxis axis_of(size_t intervals) {
  TimeAxis axis;
  axis.interval_s = 1;
  for (size_t i = 0; i < intervals; ++i) axis.starts_s.push_back(static_cast<double>(i));
  return axis;
}

TEST(TimeChart, EveryValueOfAShortRunHasItsDot) {
  const TimeChart chart{"c", "Title", "ms", 200, {{"p50", {1, 2, 3}}}};
  const std::string html = time_chart_html(chart, axis_of(3));
  EXPECT_EQ(count_of(html, "h0"), 4u);  // three values and the legend's
  EXPECT_NE(html.find("p50 1.0 ms to 3.0 ms, mean 2.0 ms"), std::string::npos);
}

TEST(TimeChart, AShareIsReadAgainstTheWholeEvenWhereNoisePassesIt) {
  const TimeChart chart{"c", "Title", "ratio", 110, {{"busy", {0.4, 1.03}}}};
  const std::string html = time_chart_html(chart, axis_of(2));
  EXPECT_NE(html.find(">100%<"), std::string::npos);
  EXPECT_EQ(html.find(">150%<"), std::string::npos);
}

TEST(TimeChart, AGapBreaksTheLineAndIsNotZero) {
  const TimeChart chart{"c", "Title", "ms", 200, {{"p50", {1, std::nullopt, 3}}}};
  const std::string html = time_chart_html(chart, axis_of(3));
  EXPECT_EQ(html.find("L"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"n\">–</td>"), std::string::npos);
  const nlohmann::json data = time_chart_data(chart, axis_of(3));
  EXPECT_EQ(data["lines"][0]["values"].dump(), "[1.0,null,3.0]");
}

TEST(TimeChart, ALongRunHasFewDotsAndATableThatFits) {
  TimeChart chart{"c", "Title", "", 200, {{"a", {}}, {"b", {}}}};
  for (int i = 0; i < 600; ++i)
    for (ChartLine& line : chart.lines) line.values.emplace_back(i);
  const std::string html = time_chart_html(chart, axis_of(600));
  EXPECT_LT(count_of(html, "h0"), 40u);
  EXPECT_LE(count_of(html, "<tr>"), 62u);
  EXPECT_NE(html.find("every 10th interval"), std::string::npos);
}

TEST(TimeChart, WithoutValuesIsNotDrawn) {
  EXPECT_FALSE(has_points({"c", "Title", "ms", 200, {{"p50", {std::nullopt}}}}));
}

TEST(Histogram, DrawsABarForEveryCountAndMarksForPercentiles) {
  const std::string html =
      histogram_html({{1, 2, 10}, {2, 4, 0}, {4, 8, 1}}, {{"p50", 1.5}, {"p99", 7}});
  EXPECT_EQ(count_of(html, "class=\"bar\""), 2u);
  EXPECT_EQ(count_of(html, "class=\"mark\""), 2u);
  EXPECT_NE(html.find("Histogram of 11 response times"), std::string::npos);
}

TEST(Histogram, ANarrowRangeHasTicksToReadItBy) {
  const std::string html = histogram_html({{21, 23, 10}, {23, 26, 5}, {26, 29, 1}}, {});
  size_t ticks = 0;
  for (const char* text : {">22 ms<", ">24 ms<", ">26 ms<", ">28 ms<"})
    ticks += count_of(html, text);
  EXPECT_GE(ticks, 3u) << html;
}

TEST(Histogram, ALineOfAMarkDoesNotRunThroughTheTextOfAnother) {
  // The texts of p50 and p95 reach over the lines behind them, which begin below.
  const std::string html =
      histogram_html({{1, 10, 10}, {10, 100, 10}}, {{"p50", 5}, {"p95", 7}, {"p99", 9}});
  EXPECT_NE(html.find("V170\"/><path class=\"mark\" d=\"M422.5 13V170"), std::string::npos);
  EXPECT_NE(html.find("d=\"M477.1 26V170"), std::string::npos);
  // To the left of a line they reach over those before it.
  const std::string right =
      histogram_html({{1, 10, 10}, {10, 100, 10}}, {{"p50", 50}, {"p95", 70}, {"p99", 90}});
  EXPECT_NE(right.find("M849.5 26V170"), std::string::npos);
  EXPECT_NE(right.find("M977.1 0V170"), std::string::npos);
}

TEST(Waterfall, StaysInsideAndKnowsLayersOnlyByName) {
  EXPECT_NE(waterfall_bar(0.5, 1.5, "queue").find("x=\"500\" y=\"1.5\" width=\"500\""),
            std::string::npos);
  EXPECT_EQ(waterfall_bar(0.2, 0.2, "app").find("<rect"), std::string::npos);
  EXPECT_NE(waterfall_bar(0, 0.001, "\"><script>").find("l-unexplained thin"), std::string::npos);
}

TEST(Html, EscapesWhatEndsTextOrAttribute) {
  EXPECT_EQ(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  EXPECT_EQ(script_safe({{"a", "</script><!--&"}}),
            "{\"a\":\"\\u003c/script\\u003e\\u003c!--\\u0026\"}");
}

}  // namespace
}  // namespace plumb::report
