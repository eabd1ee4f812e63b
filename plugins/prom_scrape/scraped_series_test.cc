#include "plugins/prom_scrape/scraped_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/prom_scrape/metrics_table.h"
#include "plugins/prom_scrape/pages_for_tests.h"

namespace plumb::prom_scrape {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string counter_page(double value, double start = 0) {
  std::string out =
      "# TYPE jobs_total counter\njobs_total{kind=\"a\"} " + std::to_string(value) + "\n";
  if (start > 0)
    out += "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds " +
           std::to_string(start) + "\n";
  return out;
}

TEST(ScrapedSeries, ACounterKeepsItsNameAndLabels) {
  Pages pages;
  pages.read("# HELP jobs_total Jobs done\n" + counter_page(5));
  pages.read(counter_page(8));
  const SeriesInfo* info = pages.host.info("scraped_jobs_total{kind=a}");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->kind, static_cast<uint32_t>(PLUMB_KIND_COUNTER));
  EXPECT_EQ(info->layer, static_cast<uint32_t>(PLUMB_LAYER_APP));
  EXPECT_EQ(info->help, "Jobs done");
  EXPECT_EQ(info->ledger_line, "");
  EXPECT_EQ(pages.host.growth("scraped_jobs_total{kind=a}"), 3);
}

TEST(ScrapedSeries, ARestartSeenByItsStartTimeLosesNothing) {
  Pages pages;
  pages.read(counter_page(100, 1'000));
  pages.read(counter_page(130, 1'000));
  // It counted past its old value already: only the start time tells.
  const PageVerdict verdict = pages.read(counter_page(150, pages.wall));
  EXPECT_EQ(verdict.continuity, Continuity::kRestarted);
  EXPECT_EQ(pages.host.growth("scraped_jobs_total{kind=a}"), 30 + 150);
}

TEST(ScrapedSeries, ACounterThatFallsBeganAnewAndIsTold) {
  Pages pages;
  pages.read(counter_page(100));
  const PageVerdict verdict = pages.read(counter_page(7));
  EXPECT_EQ(verdict.fell, 1u);
  EXPECT_EQ(verdict.first_fell, "jobs_total");
  EXPECT_EQ(pages.host.growth("scraped_jobs_total{kind=a}"), 7);
}

TEST(ScrapedSeries, ACreatedTimeTellsThatOneCounterBeganAnew) {
  const auto page = [](double value, double created) {
    return "# TYPE jobs counter\njobs_total{kind=\"a\"} " + std::to_string(value) +
           "\njobs_created{kind=\"a\"} " + std::to_string(created) + "\n# EOF\n";
  };
  Pages pages;
  pages.read(page(10, 1'000));
  EXPECT_EQ(pages.read(page(12, 1'000)).began_anew, 0u);
  const PageVerdict verdict = pages.read(page(50, pages.wall));
  EXPECT_EQ(verdict.began_anew, 1u);
  EXPECT_EQ(verdict.fell, 0u);
  EXPECT_EQ(pages.host.growth("scraped_jobs_total{kind=a}"), 2 + 50);
  EXPECT_EQ(pages.host.info("scraped_jobs_created{kind=a}"), nullptr);
}

TEST(ScrapedSeries, InstancesInTurnDoNotAddUpWhatEachHasCounted) {
  Pages pages;
  double first = 1'000'000;
  double second = 5'000'000;
  for (int i = 0; i < 20; ++i) {
    pages.read(counter_page(first += 1, 1'000));
    pages.read(counter_page(first += 1, 1'000));
    pages.read(counter_page(second += 1, 50'000));
    pages.read(counter_page(second += 1, 50'000));
  }
  EXPECT_TRUE(pages.scraped.several_processes());
  EXPECT_LE(*pages.host.growth("scraped_jobs_total{kind=a}"), 41);
  EXPECT_GE(*pages.host.growth("scraped_jobs_total{kind=a}"), 30);
}

TEST(ScrapedSeries, InstancesWithoutAStartTimeAreFoundOutByTheirFalls) {
  Pages pages;
  for (int i = 0; i < 30; ++i) pages.read(counter_page(i % 2 == 0 ? 1'000 + i : 10'000 + i));
  EXPECT_TRUE(pages.scraped.several_processes());
  // Twice taken for a restart, found out at the third time.
  EXPECT_LE(*pages.host.growth("scraped_jobs_total{kind=a}"), 40'000);
}

TEST(ScrapedSeries, ASeriesThatAppearsLaterHasCountedFromZero) {
  Pages pages;
  pages.read(counter_page(1));
  pages.read(counter_page(1) + "jobs_total{kind=\"late\"} 4\n");
  const auto& late = pages.host.series("scraped_jobs_total{kind=late}");
  ASSERT_EQ(late.size(), 2u);
  EXPECT_EQ(late[0].value, 0);
  EXPECT_EQ(late[0].time_ns, 101 * Pages::kSecond);
  EXPECT_EQ(late[1].value, 4);
}

TEST(ScrapedSeries, WhatFollowsATornPageIsNotTakenForNew) {
  Pages pages;
  pages.read(counter_page(1) + "torn{\n");
  pages.read(counter_page(1) + "jobs_total{kind=\"late\"} 4000\n");
  EXPECT_EQ(pages.host.growth("scraped_jobs_total{kind=late}"), 0);
}

TEST(ScrapedSeries, ACounterAtRestIsToldSeldomAndItsGrowthStaysInItsSecond) {
  Pages pages;
  for (int i = 0; i < 8; ++i) pages.read(counter_page(5));
  pages.read(counter_page(9));
  const auto& points = pages.host.series("scraped_jobs_total{kind=a}");
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[1].value, 5);
  EXPECT_EQ(points[1].time_ns, 108 * Pages::kSecond);
  EXPECT_EQ(points[2].time_ns, 109 * Pages::kSecond);
  for (int i = 0; i < 4; ++i) pages.read(counter_page(9));
  pages.scraped.finish();
  EXPECT_EQ(points.back().time_ns, 113 * Pages::kSecond);
}

TEST(ScrapedSeries, AGaugeIsToldEachTimeButWhenItIsNoNumber) {
  Pages pages;
  for (const char* value : {"1", "1", "NaN", "+Inf", "-2"})
    pages.read(std::string("# TYPE depth gauge\ndepth ") + value + "\n");
  const auto& points = pages.host.series("scraped_depth");
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[2].value, -2);
}

TEST(ScrapedSeries, MillisecondsAreToldInSeconds) {
  Pages pages;
  pages.read("# TYPE blocked_milliseconds_total counter\nblocked_milliseconds_total 100\n");
  pages.read("blocked_milliseconds_total 350\n");
  EXPECT_NEAR(*pages.host.growth("scraped_blocked_seconds_total"), 0.25, 1e-12);
  EXPECT_EQ(pages.host.info("scraped_blocked_seconds_total")->unit, "seconds");
}

TEST(ScrapedSeries, ASummaryIsAGaugeForEachQuantileAndTwoCounters) {
  const auto page = [](const char* count, const char* sum) {
    return std::string(
               "# TYPE rpc_seconds summary\nrpc_seconds{quantile=\"0.5\",m=\"x\"} 0.25\n"
               "rpc_seconds{quantile=\"0.99\",m=\"x\"} NaN\nrpc_seconds_sum{m=\"x\"} ") +
           sum + "\nrpc_seconds_count{m=\"x\"} " + count + "\n";
  };
  Pages pages;
  pages.read(page("10", "5"));
  pages.read(page("14", "6.5"));
  EXPECT_EQ(pages.host.last("scraped_rpc_seconds{m=x,quantile=0.5}"), 0.25);
  EXPECT_EQ(pages.host.last("scraped_rpc_seconds{m=x,quantile=0.99}"), std::nullopt);
  EXPECT_EQ(pages.host.growth("scraped_rpc_seconds_count_total{m=x}"), 4);
  EXPECT_EQ(pages.host.growth("scraped_rpc_seconds_sum_total{m=x}"), 1.5);
  EXPECT_EQ(pages.host.info("scraped_rpc_seconds_sum_total{m=x}")->unit, "seconds");
}

TEST(ScrapedSeries, ASummarysSumThatFallsByItselfIsNoRestart) {
  const auto page = [](int count, int sum) {
    return "# TYPE celsius summary\ncelsius_sum " + std::to_string(sum) + "\ncelsius_count " +
           std::to_string(count) + "\n";
  };
  Pages pages;
  pages.read(page(1, 100));
  EXPECT_EQ(pages.read(page(2, 90)).fell, 0u);
  pages.read(page(3, 95));
  EXPECT_EQ(pages.host.growth("scraped_celsius_sum_total"), 5);
}

std::string histogram_page(const std::string& name, int up_to_first, int all, double sum,
                           const char* first = "0.1", const char* second = "0.2") {
  return "# TYPE " + name + " histogram\n" + name + "_bucket{h=\"x\",le=\"" + first + "\"} " +
         std::to_string(up_to_first) + "\n" + name + "_bucket{h=\"x\",le=\"" + second + "\"} " +
         std::to_string(all) + "\n" + name + "_bucket{h=\"x\",le=\"+Inf\"} " + std::to_string(all) +
         "\n" + name + "_sum{h=\"x\"} " + std::to_string(sum) + "\n" + name + "_count{h=\"x\"} " +
         std::to_string(all) + "\n";
}

TEST(ScrapedSeries, AHistogramTellsWhatWasObservedBetweenTwoPages) {
  Pages pages;
  pages.read(histogram_page("latency_seconds", 1'000, 2'000, 250));
  pages.read(histogram_page("latency_seconds", 1'000, 2'000, 250));
  pages.read(histogram_page("latency_seconds", 1'000, 3'000, 400));
  const auto& records = pages.host.histograms["scraped_latency_seconds{h=x}"];
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].start_ns, 102 * Pages::kSecond);
  EXPECT_EQ(records[0].end_ns, 103 * Pages::kSecond);
  EXPECT_EQ(records[0].histogram.count(), 1'000u);
  EXPECT_NEAR(*records[0].histogram.mean(), 0.15e9, 1e3);
  EXPECT_NEAR(*records[0].histogram.quantile(0.5), 0.15e9, 0.005e9);
  EXPECT_EQ(pages.host.info("scraped_latency_seconds{h=x}")->unit, "seconds");
}

TEST(ScrapedSeries, AHistogramInMillisecondsIsToldInNanoseconds) {
  Pages pages;
  pages.read(histogram_page("latency_ms", 0, 0, 0, "100", "200"));
  pages.read(histogram_page("latency_ms", 0, 64, 64 * 150.0, "100", "200"));
  EXPECT_NEAR(*pages.host.merged("scraped_latency_seconds{h=x}").mean(), 0.15e9, 10);
}

TEST(ScrapedSeries, AHistogramOfBytesStaysInBytes) {
  Pages pages;
  pages.read(histogram_page("body_bytes", 0, 0, 0, "1000", "2000"));
  pages.read(histogram_page("body_bytes", 0, 64, 64 * 1'500.0, "1000", "2000"));
  EXPECT_NEAR(*pages.host.merged("scraped_body_bytes{h=x}").mean(), 1'500, 1);
  EXPECT_EQ(pages.host.info("scraped_body_bytes{h=x}")->unit, "bytes");
}

TEST(ScrapedSeries, AHistogramOfUnknownFractionsIsTwoCounters) {
  Pages pages;
  pages.read(histogram_page("score", 1, 2, 0.3));
  pages.read(histogram_page("score", 1, 5, 0.8));
  EXPECT_TRUE(pages.host.histograms.empty());
  EXPECT_EQ(pages.host.growth("scraped_score_count_total{h=x}"), 3);
  EXPECT_NEAR(*pages.host.growth("scraped_score_sum_total{h=x}"), 0.5, 1e-9);
}

TEST(ScrapedSeries, AHistogramAfterARestartTellsWhatWasObservedSince) {
  Pages pages;
  pages.read(histogram_page("latency_seconds", 1'000, 2'000, 250));
  const PageVerdict verdict = pages.read(histogram_page("latency_seconds", 3, 7, 0.8));
  EXPECT_EQ(verdict.fell, 1u);
  EXPECT_EQ(pages.host.merged("scraped_latency_seconds{h=x}").count(), 7u);
}

TEST(ScrapedSeries, SeriesBeyondTheLimitAreLeftOutCountedAndNamed) {
  Pages pages(3);
  std::string page = "# TYPE a gauge\n# TYPE b gauge\n";
  for (int i = 0; i < 5; ++i) page += "a{i=\"" + std::to_string(i) + "\"} 1\n";
  page += "b 1\n";
  pages.read(page);
  pages.read(page);
  EXPECT_EQ(pages.scraped.kept(), 3u);
  EXPECT_EQ(pages.scraped.beyond(), 3u);
  EXPECT_THAT(pages.scraped.beyond_names(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(pages.host.infos.size(), 3u);
}

TEST(ScrapedSeries, MetricsBeyondThoseThatHaveAPlaceAreCountedToo) {
  Pages pages(10);
  const size_t metrics = MetricFamilies::kMost + 500;
  std::string page;
  for (size_t i = 0; i < metrics; ++i) page += "m" + std::to_string(i) + " 1\n";
  pages.read(page);
  pages.read(page);
  EXPECT_EQ(pages.scraped.beyond(), metrics - 10);
}

TEST(ScrapedSeries, APageOfMillionsOfSeriesIsBoundedInWhatIsKept) {
  Pages pages(10);
  std::string page;
  for (int i = 0; i < 300'000; ++i) page += "a{i=\"" + std::to_string(i) + "\"} 1\n";
  pages.read(page);
  pages.read(page);
  EXPECT_EQ(pages.scraped.kept(), 10u);
  EXPECT_EQ(pages.scraped.beyond(), 300'000u - 10);
  std::string families;
  for (int i = 0; i < 300'000; ++i) families += "# TYPE f" + std::to_string(i) + " gauge\n";
  pages.read(families);
  EXPECT_LE(pages.scraped.families().all().size(), MetricFamilies::kMost);
}

TEST(ScrapedSeries, LongNamesInCommentsAreBoundedInWhatIsKeptToo) {
  Pages pages;
  std::string page = "# TYPE a gauge\na 1\n";
  for (const char* kind : {"TYPE", "HELP", "UNIT"}) {
    for (int i = 0; i < 500; ++i) {
      const std::string name = kind + std::to_string(i) + std::string(8'000, 'x');
      page += std::string("# ") + kind + " " + name + " gauge\n";
    }
  }
  pages.read(page);
  size_t bytes = 0;
  for (const MetricFamily& family : pages.scraped.families().all()) bytes += family.name.size();
  EXPECT_LE(bytes, size_t{1} << 20);
  EXPECT_EQ(pages.host.last("scraped_a"), 1);
}

TEST(ScrapedSeries, LabelsInAnotherOrderAreTheSameSeries) {
  Pages pages;
  pages.read("# TYPE a counter\na{x=\"1\",y=\"2\"} 1\n");
  pages.read("# TYPE a counter\na{y=\"2\",x=\"1\"} 3\n");
  EXPECT_EQ(pages.host.growth("scraped_a_total{x=1,y=2}"), 2);
  EXPECT_EQ(pages.scraped.kept(), 1u);
}

TEST(ScrapedSeries, ASeriesTwiceOnOnePageCountsOnce) {
  Pages pages;
  pages.read("# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\na{x=\"1\",} 3\n");
  EXPECT_EQ(pages.host.last("scraped_a{x=1}"), 1);
  EXPECT_EQ(pages.summary.malformed, 2u);
  EXPECT_THAT(pages.summary.first_malformed, HasSubstr("has this series already"));
}

TEST(ScrapedSeries, TwoMetricsThatBecomeOneNameAreNotMixed) {
  Pages pages;
  pages.read("# TYPE Foo gauge\nFoo 1\n# TYPE foo gauge\nfoo 2\n");
  pages.read("# TYPE Foo gauge\nFoo 1\n# TYPE foo gauge\nfoo 2\n");
  EXPECT_EQ(pages.host.last("scraped_foo"), 1);
  EXPECT_THAT(metrics_table(pages.scraped), HasSubstr("another metric has this name in plumb"));
}

TEST(ScrapedSeries, OnlyWhatIsAskedForIsKeptAndLayerFactsCome) {
  Pages pages(500, "http_*", "");
  pages.read(captured_page("prom_client.txt"));
  EXPECT_EQ(pages.host.info("scraped_nodejs_eventloop_lag_seconds"), nullptr);
  EXPECT_NE(pages.host.info("scraped_http_request_duration_seconds{code=200,method=GET,route=/}"),
            nullptr);
  EXPECT_EQ(pages.host.last("app_eventloop_lag_seconds"), 0.012740083);
}

TEST(ScrapedSeries, BothFormatsOfThePythonClientBecomeTheSameSeries) {
  const auto names = [](const char* file) {
    Pages pages;
    pages.read(captured_page(file));
    pages.read(captured_page(file));
    EXPECT_EQ(pages.summary.malformed, 0u);
    std::vector<std::string> out;
    for (const auto& [name, info] : pages.host.infos)
      if (name.find("worker_state") == std::string::npos) out.push_back(name + " " + info.unit);
    return out;
  };
  EXPECT_EQ(names("python_text.txt"), names("python_openmetrics.txt"));
  EXPECT_THAT(names("python_text.txt"),
              testing::Contains("scraped_orders_total{kind=path\\with \"quotes\" and a break} 1"));
}

TEST(ScrapedSeries, TypesAndInfosOfOpenMetricsAreUnderstood) {
  Pages pages;
  pages.read(captured_page("python_openmetrics.txt"));
  EXPECT_EQ(pages.host.last("scraped_worker_state{worker_state=running}"), 1);
  EXPECT_EQ(pages.host.info("scraped_build_info{version=1.2.3}"), nullptr);
  pages.read(
      "# TYPE temp gaugehistogram\ntemp_bucket{le=\"1\"} 2\ntemp_bucket{le=\"+Inf\"} 3\n"
      "temp_gcount 3\ntemp_gsum 4.5\n# TYPE odd unknown\nodd 9\n# EOF\n");
  EXPECT_EQ(pages.summary.malformed, 0u);
  EXPECT_EQ(pages.host.last("scraped_temp_gcount"), 3);
  EXPECT_EQ(pages.host.last("scraped_temp_gsum"), 4.5);
  EXPECT_EQ(pages.host.last("scraped_odd"), 9);
  EXPECT_TRUE(pages.host.histograms.empty());
}

TEST(ScrapedSeries, TheGoClientsPageIsUnderstood) {
  Pages pages;
  pages.read(captured_page("go_client.txt"));
  pages.read(captured_page("go_client.txt"));
  EXPECT_EQ(pages.host.last("scraped_go_goroutines"), 7);
  EXPECT_EQ(pages.host.growth("scraped_go_memstats_alloc_bytes_total"), 0);
  EXPECT_EQ(pages.host.last("scraped_node_cpu_seconds_total{cpu=0,mode=idle}"), 10334.07);
  EXPECT_EQ(pages.host.last("scraped_go_gc_duration_seconds{quantile=0.5}"), 0);
  EXPECT_EQ(pages.host.info("scraped_go_info{version=go1.19.8}"), nullptr);
}

TEST(ScrapedSeries, TheTableSaysWhatBecameOfEachMetric) {
  Pages pages;
  pages.read(counter_page(5) + "# TYPE b_info gauge\nb_info{v=\"1\"} 1\n" +
             histogram_page("latency_seconds", 1, 2, 0.3));
  pages.read(counter_page(8) + "# TYPE b_info gauge\nb_info{v=\"1\"} 1\n" +
             histogram_page("latency_seconds", 1, 4, 0.6));
  const auto table = nlohmann::json::parse(metrics_table(pages.scraped));
  ASSERT_EQ(table["rows"].size(), 3u);
  EXPECT_EQ(table["rows"][0].dump(),
            R"(["jobs_total","counter",1,"scraped_jobs_total",5.0,8.0,null,null])");
  EXPECT_EQ(table["rows"][1].dump(),
            R"(["latency_seconds","histogram",1,"scraped_latency_seconds",2.0,4.0,null,null])");
  EXPECT_EQ(
      table["rows"][2].dump(),
      R"(["b_info","gauge",0,null,null,null,"1: says what something is, not how much",null])");
}

TEST(ScrapedSeries, TheTableKeepsWhatTheLastPageSaidWhenGarbageFollows) {
  Pages pages;
  pages.read(counter_page(5));
  pages.scraped.begin_page();
  (void)read_exposition("jobs_total{kind=\"b\"} 9\nand then\nno metrics\n", true, pages.scraped);
  const auto table = nlohmann::json::parse(metrics_table(pages.scraped));
  EXPECT_EQ(table["rows"][0][5], 5.0);
}

TEST(ScrapedSeries, TheTableStaysSmallAndPlainWhateverTheHelpSays) {
  Pages pages(2'000);
  std::string page;
  for (int i = 0; i < 1'500; ++i) {
    const std::string name = "m" + std::to_string(i) + std::string(150, 'x');
    page += "# HELP " + name + " <script>\x1b[2J\xff" + std::string(5'000, 'h') + "\n# TYPE " +
            name + " gauge\n" + name + " 1\n";
  }
  pages.read(page);
  const std::string text = metrics_table(pages.scraped);
  EXPECT_LT(text.size(), 1'048'576u);
  EXPECT_EQ(nlohmann::json::parse(text)["rows"].size(), 1'000u);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace plumb::prom_scrape
