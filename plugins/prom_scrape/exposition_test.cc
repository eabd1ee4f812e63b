#include "plugins/prom_scrape/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace plumb::prom_scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct KeptPage final : ExpositionSink {
  struct Sample {
    std::string name;
    MetricLabels labels;
    double value;
  };
  void on_type(std::string_view metric, MetricType type) override {
    types.emplace_back(std::string(metric) + " " + std::string(metric_type_name(type)));
  }
  void on_help(std::string_view metric, std::string_view text) override {
    helps.emplace_back(std::string(metric) + ": " + unescape_help(text));
  }
  void on_unit(std::string_view metric, std::string_view unit) override {
    units.emplace_back(std::string(metric) + " " + std::string(unit));
  }
  const char* on_sample(const ExpositionSample& sample) override {
    MetricLabels labels;
    if (const char* problem = parse_labels(sample.labels, labels)) return problem;
    samples.push_back({std::string(sample.name), labels, sample.value});
    return nullptr;
  }
  std::vector<std::string> types, helps, units;
  std::vector<Sample> samples;
};

struct Read {
  KeptPage page;
  ExpositionSummary summary;
};
Read read(std::string_view text, bool whole = true) {
  Read out;
  out.summary = read_exposition(text, whole, out.page);
  return out;
}

double only_value(std::string_view text) {
  const Read r = read(text);
  EXPECT_EQ(r.page.samples.size(), 1u) << text << r.summary.first_malformed;
  return r.page.samples.empty() ? -1 : r.page.samples[0].value;
}

TEST(Exposition, ReadsNamesLabelsValuesAndWhatIsSaidOfThem) {
  const Read r = read(
      "# HELP http_requests_total All requests, by \\\"code\\\" and\\nmore \\\\\n"
      "# TYPE http_requests_total counter\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "\n"
      "# a comment for people\n"
      "# TYPE load gauge\n"
      "  load   2.5\n");
  EXPECT_EQ(r.summary.malformed, 0u) << r.summary.first_malformed;
  EXPECT_EQ(r.summary.samples, 2u);
  EXPECT_THAT(r.page.types, ElementsAre("http_requests_total counter", "load gauge"));
  EXPECT_THAT(r.page.helps,
              ElementsAre("http_requests_total: All requests, by \"code\" and\nmore \\"));
  EXPECT_EQ(r.page.samples[0].name, "http_requests_total");
  EXPECT_THAT(r.page.samples[0].labels, ElementsAre(Pair("method", "post"), Pair("code", "200")));
  EXPECT_EQ(r.page.samples[0].value, 1027);
  EXPECT_EQ(r.page.samples[1].value, 2.5);
}

TEST(Exposition, EscapedLabelValuesMayHoldQuotesBackslashesBreaksAndBraces) {
  const Read r =
      read("msdos_file_access{path=\"C:\\\\DIR\\\\F}.TXT\",error=\"no\\n\\\"file\\\"\"} 1\n");
  ASSERT_EQ(r.page.samples.size(), 1u) << r.summary.first_malformed;
  EXPECT_THAT(r.page.samples[0].labels,
              ElementsAre(Pair("path", "C:\\DIR\\F}.TXT"), Pair("error", "no\n\"file\"")));
}

TEST(Exposition, BlanksAndTrailingCommasAmongLabelsAreNoMatter) {
  const Read r = read("a { x = \"1\" , y=\"2\", } 3\nb{} 4\nc{x=\"1\",}5\n");
  EXPECT_EQ(r.summary.samples, 3u) << r.summary.first_malformed;
  EXPECT_THAT(r.page.samples[0].labels, ElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_THAT(r.page.samples[1].labels, IsEmpty());
}

TEST(Exposition, NumbersAreReadAsGoWritesThem) {
  EXPECT_EQ(only_value("a 1e+06\n"), 1e6);
  EXPECT_EQ(only_value("a -0.25\n"), -0.25);
  EXPECT_EQ(only_value("a +3\n"), 3);
  EXPECT_EQ(only_value("a +Inf\n"), INFINITY);
  EXPECT_EQ(only_value("a -Inf\n"), -INFINITY);
  EXPECT_TRUE(std::isnan(only_value("a NaN\n")));
  EXPECT_EQ(only_value("a 2.7262976E7\n"), 27262976);
}

TEST(Exposition, ExemplarsAndTimestampsOfOpenMetricsAreCheckedAndIgnored) {
  const Read r = read(
      "# TYPE foo histogram\n# UNIT foo_seconds seconds\n"
      "foo_bucket{le=\"0.01\"} 8 # {trace_id=\"KOO5S4vxi0o # } x\"} 0.0067 1520879607.789\n"
      "foo_bucket{le=\"+Inf\"} 17 1520879607.789 # {trace_id=\"oHg5SJYRHA0\"} 9.8\n"
      "foo_count 17\n"
      "# EOF\n");
  EXPECT_EQ(r.summary.malformed, 0u) << r.summary.first_malformed;
  EXPECT_EQ(r.summary.samples, 3u);
  EXPECT_TRUE(r.summary.ended);
  EXPECT_THAT(r.page.units, ElementsAre("foo_seconds seconds"));
}

TEST(Exposition, AMalformedLineCostsOnlyItselfAndTheFirstIsTold) {
  const Read r = read(
      "good 1\n"
      "9bad 1\n"
      "bad-name 1\n"
      "novalue\n"
      "novalue{a=\"b\"}\n"
      "open{a=\"b\" 1\n"
      "unquoted{a=b} 1\n"
      "noequals{a} 1\n"
      "nocomma{a=\"1\" b=\"2\"} 1\n"
      "quote{a=\"b} 1\n"
      "number 12x\n"
      "number +-1\n"
      "stamp 1 soon\n"
      "more 1 2 3\n"
      "# TYPE good speed\n"
      "# TYPE 9bad counter\n"
      "also_good 2\n");
  EXPECT_EQ(r.summary.samples, 2u);
  EXPECT_EQ(r.summary.malformed, 15u);
  EXPECT_EQ(r.summary.first_malformed_line, 2u);
  EXPECT_THAT(r.summary.first_malformed, HasSubstr("9bad 1"));
}

TEST(Exposition, ALastLineWithoutALineFeedCountsOnlyWhenNothingCanBeMissing) {
  EXPECT_EQ(read("a 1\nb 12", true).page.samples.size(), 2u);
  const Read torn = read("a 1\nb 12", false);
  EXPECT_EQ(torn.page.samples.size(), 1u);
  EXPECT_EQ(torn.summary.malformed, 1u);
  EXPECT_THAT(torn.summary.first_malformed, HasSubstr("ends within the line"));
}

TEST(Exposition, LinesMayEndAsOnWindows) {
  const Read r = read("# TYPE a counter\r\na 1\r\n\r\n# EOF\r\n");
  EXPECT_EQ(r.summary.malformed, 0u) << r.summary.first_malformed;
  EXPECT_EQ(r.summary.samples, 1u);
  EXPECT_TRUE(r.summary.ended);
}

TEST(Exposition, HostileTextIsHarmlessAndBounded) {
  const std::string huge_label = "a{x=\"" + std::string(1 << 20, 'y') + "\"} 1\n";
  EXPECT_EQ(read(huge_label).summary.malformed, 1u);
  EXPECT_LT(read(huge_label).summary.first_malformed.size(), 200u);
  const std::string huge_name = std::string(1 << 20, 'n') + " 1\n";
  EXPECT_EQ(read(huge_name).summary.malformed, 1u);
  const std::string binary(
      "\x7f"
      "ELF\0\0\x01\xff\n\0\0\0\n{{{{\n\"\"\"",
      21);
  EXPECT_EQ(read(binary).summary.samples, 0u);
  EXPECT_EQ(read(std::string(100'000, '\n')).summary.malformed, 0u);
  EXPECT_EQ(read(std::string(100'000, '{')).summary.malformed, 1u);
  EXPECT_EQ(read("a{x=\"\\").summary.malformed, 1u);
  EXPECT_EQ(read("#").summary.malformed, 0u);
  EXPECT_EQ(read("").summary.lines, 0u);
}

TEST(Exposition, WhatIsToldOfALineHoldsNoControlCharactersAndIsUtf8) {
  const Read r = read("\x1b[31m\xff\xfe evil\n");
  EXPECT_THAT(r.summary.first_malformed, HasSubstr(" [31m?? evil"));
}

TEST(Exposition, APageForPeopleIsSeenAsOne) {
  EXPECT_TRUE(looks_like_html("\n  <!DOCTYPE html><html>"));
  EXPECT_TRUE(looks_like_html("\xEF\xBB\xBF<html>"));
  EXPECT_FALSE(looks_like_html("# TYPE a counter\na 1\n"));
  EXPECT_FALSE(looks_like_html(""));
}

std::string captured(const std::string& name) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/plugins/prom_scrape/testdata/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Exposition, PagesOfCommonClientsAreReadWhole) {
  const struct {
    const char* file;
    size_t samples;
    bool ended;
  } pages[] = {{"go_client.txt", 120, false},
               {"python_text.txt", 42, false},
               {"python_openmetrics.txt", 42, true},
               {"micrometer.txt", 30, false},
               {"prom_client.txt", 30, false}};
  for (const auto& expected : pages) {
    const std::string text = captured(expected.file);
    const Read r = read(text);
    EXPECT_EQ(r.summary.malformed, 0u) << expected.file << r.summary.first_malformed;
    EXPECT_EQ(r.summary.samples, expected.samples) << expected.file;
    EXPECT_EQ(r.summary.ended, expected.ended) << expected.file;
  }
}

TEST(Exposition, APageTornAnywhereYieldsOnlyWholeLines) {
  const std::string text = captured("python_openmetrics.txt");
  const Read all = read(text);
  for (size_t cut = 0; cut < text.size(); ++cut) {
    const Read torn = read(std::string_view(text).substr(0, cut), false);
    ASSERT_LE(torn.page.samples.size(), all.page.samples.size());
    EXPECT_FALSE(torn.summary.ended);
    for (size_t i = 0; i < torn.page.samples.size(); ++i)
      ASSERT_EQ(torn.page.samples[i].value, all.page.samples[i].value) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace plumb::prom_scrape
