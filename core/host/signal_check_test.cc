#include "core/host/signal_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace plumb::host {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBegin = 1'000'000'000;
constexpr int64_t kNow = 2'000'000'000;

SeriesInfo gauge(const std::string& name) {
  SeriesInfo series;
  series.name = name;
  series.unit = "1";
  return series;
}

SeriesInfo histogram_series() {
  SeriesInfo series = gauge("http_seconds");
  series.kind = PLUMB_KIND_HISTOGRAM;
  return series;
}

HistogramMessage message_of(const Histogram& h) {
  return {1, kBegin, kNow, h.precision_bits(), h.buckets(), h.sum(), h.minimum(), h.maximum()};
}

HistogramMessage three_values() {
  Histogram h;
  h.record(10);
  h.record(5'000);
  h.record(1'000'000, 2);
  return message_of(h);
}

TEST(SignalCheckTest, SeriesThatBreakARuleAreRefused) {
  const auto with = [](auto change) {
    SeriesInfo series = gauge("fine");
    change(series);
    return check_series(series);
  };
  EXPECT_TRUE(with([](SeriesInfo&) {}).is_ok());
  EXPECT_FALSE(with([](SeriesInfo& s) { s.name = ""; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.name = "Upper"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.name = "_x"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.name = "a-b"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.name = std::string(kMaxName + 1, 'a'); }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.kind = 0; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.kind = 4; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.kind = PLUMB_KIND_COUNTER; })) << "no _total";
  EXPECT_FALSE(with([](SeriesInfo& s) { s.layer = 7; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.part = 6; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.unit = ""; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.unit = "two words"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.help = "\xff"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.ledger_line = "database..x"; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.resource = std::string("a\0b", 3); }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels.assign(kMaxLabels + 1, {"a", ""}); }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels = {{"a", "1"}, {"a", "2"}}; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels = {{"b", ""}, {"a", ""}}; })) << "not sorted";
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels = {{"A", ""}}; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels = {{"a", std::string(kMaxText + 1, 'x')}}; }));
  EXPECT_FALSE(with([](SeriesInfo& s) { s.labels = {{"a", "\xc0\xaf"}}; })) << "overlong UTF-8";
}

TEST(SignalCheckTest, ASeriesDeclaredAgainKeepsItsIdUnlessItMeansAnother) {
  SignalCheck check(kBegin);
  EXPECT_EQ(check.declare(gauge("a")).value(), std::pair(1u, true));
  EXPECT_EQ(check.declare(gauge("b")).value(), std::pair(2u, true));
  EXPECT_EQ(check.declare(gauge("a")).value(), std::pair(1u, false));
  SeriesInfo labelled = gauge("a");
  labelled.labels = {{"x", "y"}};
  EXPECT_EQ(check.declare(labelled).value(), std::pair(3u, true));
  SeriesInfo other = gauge("a");
  other.unit = "bytes";
  EXPECT_FALSE(check.declare(other).is_ok());
}

TEST(SignalCheckTest, ThereIsALimitToSeries) {
  SignalCheck check(kBegin);
  for (size_t i = 0; i < kMaxSeries; ++i) {
    ASSERT_TRUE(check.declare(gauge("s" + std::to_string(i))).is_ok());
  }
  EXPECT_EQ(check.declare(gauge("one_more")).status().code(), PLUMB_RESOURCE_EXHAUSTED);
}

TEST(SignalCheckTest, SamplesMustBeOfADeclaredSeriesFiniteAndInOrder) {
  SignalCheck check(kBegin);
  ASSERT_TRUE(check.declare(gauge("a")).is_ok());
  ASSERT_TRUE(check.declare(histogram_series()).is_ok());
  EXPECT_TRUE(check.samples({{1, kBegin, 1}, {1, kBegin, 2}, {1, kNow, 3}}, kNow));
  EXPECT_FALSE(check.samples({{1, kNow - 1, 3}}, kNow)) << "backwards";
  EXPECT_FALSE(check.samples({{0, kNow, 1}}, kNow));
  EXPECT_FALSE(check.samples({{3, kNow, 1}}, kNow));
  EXPECT_FALSE(check.samples({{2, kNow, 1}}, kNow)) << "a histogram";
  EXPECT_FALSE(check.samples({{1, kNow, std::numeric_limits<double>::quiet_NaN()}}, kNow));
  EXPECT_FALSE(check.samples({{1, kNow, std::numeric_limits<double>::infinity()}}, kNow));
  EXPECT_FALSE(check.samples({{1, kNow + kClockSlackNs + 1, 1}}, kNow)) << "the future";
  EXPECT_FALSE(SignalCheck(kBegin).samples({{1, kBegin - 1, 1}}, kNow));
  EXPECT_TRUE(check.samples({{1, kNow + kClockSlackNs, 1}}, kNow));
}

TEST(SignalCheckTest, ASampleFromBeforeThePluginBeganIsRefused) {
  SignalCheck check(kBegin);
  ASSERT_TRUE(check.declare(gauge("a")).is_ok());
  EXPECT_THAT(check.samples({{1, kBegin - 1, 1}}, kNow).message(), HasSubstr("before the plugin"));
}

TEST(SignalCheckTest, HistogramsThatContradictThemselvesAreRefused) {
  const auto with = [](auto change) {
    HistogramMessage message = three_values();
    change(message);
    return check_histogram(message);
  };
  EXPECT_TRUE(with([](HistogramMessage&) {}).is_ok());
  EXPECT_TRUE(check_histogram(message_of(Histogram())).is_ok()) << "empty is fine";
  EXPECT_FALSE(with([](HistogramMessage& m) { m.precision_bits = 1; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.precision_bits = 15; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.precision_bits = 0xFFFFFFFF; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { std::swap(m.start_ns, m.end_ns); }));
  EXPECT_FALSE(with([](HistogramMessage& m) { std::swap(m.buckets[0], m.buckets[1]); }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.buckets[1].index = m.buckets[0].index; }));
  EXPECT_FALSE(with([](HistogramMessage& m) {
    m.buckets.back().index = Histogram::bucket_limit(m.precision_bits);
  }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.buckets[1].count = 0; }));
  EXPECT_FALSE(with([](HistogramMessage& m) {
    m.buckets[0].count = m.buckets[1].count = std::numeric_limits<uint64_t>::max();
  }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.minimum = 11; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.maximum *= 2; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.sum = 0; }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.sum = std::numeric_limits<uint64_t>::max(); }));
  EXPECT_FALSE(with([](HistogramMessage& m) { m.buckets.clear(); }));
}

TEST(SignalCheckTest, HistogramsComeInTheirOrderAndOfTheirSeries) {
  SignalCheck check(kBegin);
  ASSERT_TRUE(check.declare(histogram_series()).is_ok());
  ASSERT_TRUE(check.declare(gauge("a")).is_ok());
  HistogramMessage message = three_values();
  EXPECT_TRUE(check.histogram(message, kNow).is_ok());
  message.end_ns -= 1;
  EXPECT_FALSE(check.histogram(message, kNow).is_ok()) << "ends before the last one";
  message.end_ns = kNow;
  message.series = 2;
  EXPECT_FALSE(check.histogram(message, kNow).is_ok()) << "a gauge";
  message.series = 9;
  EXPECT_FALSE(check.histogram(message, kNow).is_ok());
}

TEST(SignalCheckTest, EventsAndHealthThatBreakARuleAreRefused) {
  EXPECT_TRUE(check_event({"", 0, PLUMB_INFO, "a-kind2", "x", "{}"}).is_ok());
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "A", "x"}));
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "a--b", "x"}));
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "", "x"}));
  EXPECT_FALSE(check_event({"", 0, 0, "a", "x"}));
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "a", "x", "[]"}));
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "a", "x", "{"}));
  EXPECT_FALSE(check_event({"", 0, PLUMB_INFO, "a", std::string(kMaxMessage + 1, 'x')}));
  EXPECT_FALSE(check_health({"", 0, 0, ""}));
  EXPECT_FALSE(check_health({"", 0, 4, ""}));
  EXPECT_FALSE(check_health({"", 0, PLUMB_HEALTH_OK, "\xff"}));
}

TEST(SignalCheckTest, TablesAreRectanglesOfPlainCells) {
  const auto check = [](const std::string& json) { return check_table({"", 0, "t", json}); };
  const std::string head = R"({"title":"T","columns":[{"key":"a","title":"A","unit":"s"}],"rows":)";
  EXPECT_TRUE(check(head + "[]}").is_ok());
  EXPECT_TRUE(check(head + R"([["x"],[1],[null]]})").is_ok());
  EXPECT_FALSE(check(head + R"([["x","y"]]})"));
  EXPECT_FALSE(check(head + R"([[true]]})"));
  EXPECT_FALSE(check(head + R"([[[1]]]})"));
  EXPECT_FALSE(check(head + R"({}})"));
  EXPECT_FALSE(check(R"({"title":"T","columns":[],"rows":[]})"));
  EXPECT_FALSE(check(R"({"title":"T","columns":[{"key":"a"}],"rows":[]})"));
  EXPECT_FALSE(check(R"({"columns":[{"key":"a","title":"A"}],"rows":[]})"));
  EXPECT_FALSE(check("[]"));
  EXPECT_FALSE(check_table({"", 0, "No Name", head + "[]}"}));
  std::string rows = "[[1]";
  for (size_t i = 0; i < kMaxTableRows; ++i) rows += ",[1]";
  EXPECT_FALSE(check(head + rows + "]}")) << "one row too many";
  EXPECT_FALSE(check(head + "[[\"" + std::string(kMaxTableJson, 'x') + "\"]]}"));
}

}  // namespace
}  // namespace plumb::host
