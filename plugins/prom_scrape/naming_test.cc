#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/prom_scrape/endpoint.h"
#include "plugins/prom_scrape/name_filter.h"
#include "plugins/prom_scrape/plain_text.h"
#include "plugins/prom_scrape/series_naming.h"

namespace plumb::prom_scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(SeriesNaming, KeepsTheMetricsOwnNameBehindAPrefix) {
  EXPECT_EQ(series_name("go_goroutines", false, "").name, "scraped_go_goroutines");
  EXPECT_EQ(series_name("job:Latency_p99", false, "").name, "scraped_job_latency_p99");
  EXPECT_EQ(series_name("_hidden", false, "").name, "scraped__hidden");
}

TEST(SeriesNaming, CountersEndInTotalOnce) {
  EXPECT_EQ(series_name("requests_total", true, "").name, "scraped_requests_total");
  EXPECT_EQ(series_name("requests", true, "").name, "scraped_requests_total");
}

TEST(SeriesNaming, UnitsAreSecondsAndBytes) {
  EXPECT_EQ(series_name("wait_seconds_total", true, "").unit, "seconds");
  EXPECT_EQ(series_name("heap_bytes", false, "").unit, "bytes");
  EXPECT_EQ(series_name("hit_ratio", false, "").unit, "ratio");
  EXPECT_EQ(series_name("temperature", false, "celsius").unit, "celsius");
  EXPECT_EQ(series_name("temperature", false, "\xB0 C!").unit, "1");
  EXPECT_EQ(series_name("requests", false, "").unit, "1");
}

TEST(SeriesNaming, MillisecondsBecomeSecondsInNameAndValue) {
  const struct {
    const char* metric;
    bool counter;
    const char* name;
    double scale;
  } cases[] = {
      {"http_server_duration_milliseconds", false, "scraped_http_server_duration_seconds", 1e-3},
      {"blocked_millis_total", true, "scraped_blocked_seconds_total", 1e-3},
      {"request_ms", false, "scraped_request_seconds", 1e-3},
      {"write_microseconds", false, "scraped_write_seconds", 1e-6},
      {"gc_nanoseconds_total", true, "scraped_gc_seconds_total", 1e-9},
      {"acquired_nanos", false, "scraped_acquired_seconds", 1e-9},
      {"vms", false, "scraped_vms", 1},
  };
  for (const auto& c : cases) {
    const SeriesName name = series_name(c.metric, c.counter, "");
    EXPECT_EQ(name.name, c.name);
    EXPECT_EQ(name.scale, c.scale) << c.metric;
    EXPECT_EQ(name.unit, c.scale == 1 ? "1" : "seconds");
  }
}

TEST(SeriesNaming, LabelsAreMappedSortedAndCleaned) {
  MetricLabels out;
  EXPECT_EQ(series_labels({{"Zone", "a\x01\xff"}, {"_id", "7"}, {"code", "200"}}, out), nullptr);
  EXPECT_THAT(out, ElementsAre(Pair("code", "200"), Pair("l_id", "7"), Pair("zone", "a ?")));
}

TEST(SeriesNaming, LabelsThatPlumbCannotTakeAreRefusedWithAReason) {
  MetricLabels out;
  EXPECT_STREQ(series_labels({{"Code", "1"}, {"code", "2"}}, out), "two labels of one name");
  EXPECT_NE(series_labels({{std::string(65, 'x'), "1"}}, out), nullptr);
  MetricLabels many;
  for (char c = 'a'; c < 'a' + 17; ++c) many.emplace_back(std::string(1, c), "");
  EXPECT_STREQ(series_labels(many, out), "more than 16 labels");
}

TEST(PlainText, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(plain_text("short", 10), "short");
  EXPECT_EQ(plain_text("exactly 10", 10), "exactly 10");
  EXPECT_EQ(plain_text("more than ten", 10), "more th...");
  EXPECT_EQ(plain_text("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4", 10), "\u00e4\u00e4\u00e4...");
  EXPECT_EQ(plain_text("\u20ac\U0001F600", 10), "\u20ac\U0001F600");
}

TEST(PlainText, WhatIsNoUtf8BecomesQuestionMarks) {
  EXPECT_EQ(plain_text("\xC0\x80|\xED\xA0\x80|\xF5\x80\x80\x80|\xE2\x82", 40), "??|???|????|??");
  EXPECT_EQ(plain_text(std::string("a\0b\n\x7f", 5), 40), "a b  ");
}

TEST(NameFilter, KeepsWhatIsIncludedAndNotExcluded) {
  const auto filter = NameFilter::from("http_*, jvm_gc_?ause*", "*_created,http_debug_*");
  ASSERT_TRUE(filter) << filter.status().message();
  EXPECT_TRUE(filter->keeps("http_requests"));
  EXPECT_TRUE(filter->keeps("jvm_gc_pause_seconds"));
  EXPECT_FALSE(filter->keeps("http_requests_created"));
  EXPECT_FALSE(filter->keeps("http_debug_x"));
  EXPECT_FALSE(filter->keeps("go_goroutines"));
}

TEST(NameFilter, WithoutPatternsKeepsEverything) {
  EXPECT_TRUE(NameFilter::from("", "")->keeps("anything"));
  EXPECT_FALSE(NameFilter::from("", "*")->keeps("anything"));
  EXPECT_TRUE(NameFilter::from("a**c", "")->keeps("abbc"));
  EXPECT_FALSE(NameFilter::from("a*c?", "")->keeps("abc"));
}

TEST(NameFilter, RefusesAPatternThatCanMatchNothing) {
  const auto filter = NameFilter::from("http-*", "");
  ASSERT_FALSE(filter);
  EXPECT_THAT(filter.status().message(), HasSubstr("include: \"http-*\" can match no"));
}

TEST(NameFilter, ManyStarsDoNotTakeForever) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(NameFilter::from(pattern + "b", "")->keeps(std::string(8'000, 'a')));
}

std::string url_of(std::string_view url) {
  const auto endpoint = endpoint_from("http://shop.example:8080", "shop.example", url);
  return endpoint ? endpoint->url : endpoint.status().message();
}

TEST(Endpoint, IsAPathOnTheTargetOrAnAddress) {
  EXPECT_EQ(url_of(""), "http://shop.example:8080/metrics");
  EXPECT_EQ(url_of("/actuator/prometheus?x=1"), "http://shop.example:8080/actuator/prometheus?x=1");
  EXPECT_EQ(url_of("http://127.0.0.1:9100/metrics"), "http://127.0.0.1:9100/metrics");
  EXPECT_EQ(url_of("https://SHOP.example/m"), "https://SHOP.example/m");
}

TEST(Endpoint, OtherHostsAreNotAsked) {
  for (const char* url : {"http://other.example/metrics", "http://169.254.169.254/metrics",
                          "http://localhost.evil.example/", "http://shop.example.evil.example/",
                          "http://shop.example@evil.example/", "http://10.0.0.1#@127.0.0.1/"})
    EXPECT_FALSE(endpoint_from("http://shop.example:8080", "shop.example", url)) << url;
  EXPECT_THAT(url_of("http://other.example/metrics"),
              HasSubstr("neither on this machine nor on the target's host"));
}

TEST(Endpoint, WhatIsNoAddressIsRefusedWithoutRepeatingSecrets) {
  EXPECT_THAT(url_of("metrics"), HasSubstr("url: \"metrics\""));
  EXPECT_THAT(url_of("ftp://127.0.0.1/m"), HasSubstr("neither http nor https"));
  EXPECT_THAT(url_of("file:///etc/passwd"), HasSubstr("neither http nor https"));
  const std::string secret = url_of("http://me:hunter2@127.0.0.1/m");
  EXPECT_THAT(secret, HasSubstr("no user or password"));
  EXPECT_THAT(secret, Not(HasSubstr("hunter2")));
  EXPECT_THAT(url_of("http://other.example/m?token=hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(url_of("http://me:hunter2@other.example:x/m"), Not(HasSubstr("hunter2")));
}

TEST(Endpoint, NamesOfThisMachineAreHeldToIt) {
  for (const char* url : {"http://localhost:1/", "http://127.8.8.8/", "http://[::1]:9/m"}) {
    const auto endpoint = endpoint_from("", "", url);
    ASSERT_TRUE(endpoint) << endpoint.status().message();
    EXPECT_TRUE(endpoint->loopback_only) << url;
  }
  EXPECT_FALSE(endpoint_from("http://shop.example", "shop.example", "")->loopback_only);
  EXPECT_FALSE(endpoint_from("", "", "/metrics"));
}

}  // namespace
}  // namespace plumb::prom_scrape
