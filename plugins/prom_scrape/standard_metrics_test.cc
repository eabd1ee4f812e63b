#include "plugins/prom_scrape/standard_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "plugins/prom_scrape/pages_for_tests.h"

namespace plumb::prom_scrape {
namespace {

// A line that the row is about, for the pool or cache "x1".
std::string line_of(const StandardMetric& row, double value) {
  std::string labels;
  if (row.instance != nullptr) labels += std::string(row.instance) + "=\"x1\",";
  if (row.only_label != nullptr)
    labels += std::string(row.only_label) + "=\"" + row.only_value + "\",";
  return std::string(row.sample) + "{" + labels + "other=\"y\"} " + std::to_string(value) + "\n";
}

struct Expected {
  const char* series;
  bool counter;
};
// What a quantity alone becomes; nothing where it is only of use beside another.
const std::map<Quantity, Expected> kExpected = {
    {Quantity::kRequestsInFlight, {"app_requests_in_flight", false}},
    {Quantity::kPoolInUse, {"app_pool_in_use", false}},
    {Quantity::kPoolLimit, {"app_pool_limit", false}},
    {Quantity::kPoolWaiting, {"app_pool_waiting", false}},
    {Quantity::kPoolWaitSeconds, {"app_pool_wait_seconds_total", true}},
    {Quantity::kWorkersBusy, {"app_workers_busy", false}},
    {Quantity::kWorkersLimit, {"app_workers_limit", false}},
    {Quantity::kWorkersWaiting, {"app_workers_waiting", false}},
    {Quantity::kCacheHits, {"app_cache_hits_total", true}},
    {Quantity::kCacheMisses, {"app_cache_misses_total", true}},
    {Quantity::kGcSeconds, {"app_gc_seconds_total", true}},
    {Quantity::kEventLoopLag, {"app_eventloop_lag_seconds", false}},
};

class EveryRow : public testing::TestWithParam<size_t> {};

TEST_P(EveryRow, BecomesPlumbsOwnSeriesInItsUnit) {
  const StandardMetric& row = standard_metrics()[GetParam()];
  Pages pages(500, "", "*");
  pages.read(line_of(row, 4));
  pages.read(line_of(row, 10));
  const auto expected = kExpected.find(row.quantity);
  if (expected == kExpected.end()) {
    EXPECT_TRUE(row.quantity == Quantity::kPoolIdle || row.quantity == Quantity::kPoolSize);
    EXPECT_TRUE(pages.host.infos.empty());
    return;
  }
  std::string key = expected->second.series;
  const bool cache = row.quantity == Quantity::kCacheHits || row.quantity == Quantity::kCacheMisses;
  const bool process = row.quantity == Quantity::kRequestsInFlight ||
                       row.quantity == Quantity::kGcSeconds ||
                       row.quantity == Quantity::kEventLoopLag;
  if (!process)
    key += std::string(cache ? "{cache=" : "{pool=") +
           (row.instance == nullptr ? "default" : "x1") + "}";
  ASSERT_NE(pages.host.info(key), nullptr) << key;
  if (expected->second.counter)
    EXPECT_NEAR(*pages.host.growth(key), 6 * row.scale, 1e-12);
  else
    EXPECT_NEAR(*pages.host.last(key), 10 * row.scale, 1e-12);
  EXPECT_EQ(pages.host.infos.size(), 1u) << "one quantity, one series";
  EXPECT_EQ(pages.host.info(key)->ledger_line, "");
  EXPECT_NE(row.source, nullptr);
}

INSTANTIATE_TEST_SUITE_P(StandardMetrics, EveryRow,
                         testing::Range(size_t{0}, standard_metrics().size()), [](const auto& row) {
                           return std::string(standard_metrics()[row.param].sample) + "_" +
                                  std::to_string(row.param);
                         });

TEST(StandardMetrics, ARowsLabelMustHaveItsValue) {
  EXPECT_FALSE(recognise("cache_gets_total", {{"cache", "a"}, {"result", "pending"}}));
  EXPECT_FALSE(recognise("db_client_connections_usage", {}));
  EXPECT_FALSE(recognise("hikaricp_connections_activex", {}));
}

TEST(StandardMetrics, NoTwoRowsAreTheSame) {
  std::set<std::string> seen;
  for (const StandardMetric& row : standard_metrics())
    EXPECT_TRUE(seen.insert(line_of(row, 1)).second) << row.sample;
}

TEST(LayerFacts, APoolOfMicrometerIsToldWhole) {
  Pages pages;
  pages.read(captured_page("micrometer.txt"));
  EXPECT_EQ(pages.host.last("app_pool_in_use{pool=HikariPool-1}"), 9);
  EXPECT_EQ(pages.host.last("app_pool_limit{pool=HikariPool-1}"), 10);
  EXPECT_EQ(pages.host.last("app_pool_waiting{pool=HikariPool-1}"), 31);
  EXPECT_EQ(pages.host.last("app_pool_wait_seconds_total{pool=HikariPool-1}"), 318.25);
  const std::string ratio = "app_pool_utilisation_ratio{pool=HikariPool-1}";
  EXPECT_EQ(pages.host.last(ratio), 0.9);
  const SeriesInfo* info = pages.host.info(ratio);
  EXPECT_EQ(info->resource, "a pool connection");
  EXPECT_EQ(info->layer, static_cast<uint32_t>(PLUMB_LAYER_DATABASE));
  EXPECT_EQ(info->part, static_cast<uint32_t>(PLUMB_PART_UTILISATION));
}

TEST(LayerFacts, WorkersCachesAndCollectionsOfMicrometerAreToldToo) {
  Pages pages;
  pages.read(captured_page("micrometer.txt"));
  EXPECT_EQ(pages.host.last("app_requests_in_flight"), 40);
  EXPECT_EQ(pages.host.last("app_workers_busy{pool=http-nio-8080}"), 40);
  EXPECT_EQ(pages.host.last("app_workers_utilisation_ratio{pool=http-nio-8080}"), 0.2);
  // Threads all wait when what they wait for is full: that, and not they, is what is queued for.
  EXPECT_EQ(pages.host.info("app_workers_utilisation_ratio{pool=http-nio-8080}")->resource, "");
  // 2147483647 threads are no limit.
  EXPECT_EQ(pages.host.info("app_workers_limit{pool=applicationTaskExecutor}"), nullptr);
  EXPECT_EQ(pages.host.last("app_workers_busy{pool=applicationTaskExecutor}"), 2);
  EXPECT_EQ(pages.host.last("app_cache_hits_total{cache=products}"), 900);
  EXPECT_EQ(pages.host.last("app_cache_misses_total{cache=products}"), 100);
  EXPECT_NEAR(*pages.host.last("app_gc_seconds_total"), 0.55, 1e-12);
}

TEST(LayerFacts, WhatIsInUseFollowsFromSizeAndIdle) {
  Pages pages;
  pages.read(captured_page("prom_client.txt"));
  EXPECT_EQ(pages.host.last("app_pool_in_use{pool=default}"), 2);
  EXPECT_EQ(pages.host.last("app_pool_waiting{pool=default}"), 14);
  EXPECT_EQ(pages.host.info("app_pool_limit{pool=default}"), nullptr);
  EXPECT_EQ(pages.host.info("app_pool_utilisation_ratio{pool=default}"), nullptr);
}

TEST(LayerFacts, OfSeveralMetricsForOneThingTheFirstOfTheTableIsBelieved) {
  Pages pages;
  pages.read(
      "# TYPE nodejs_eventloop_lag_mean_seconds gauge\nnodejs_eventloop_lag_mean_seconds 0.5\n"
      "# TYPE nodejs_eventloop_lag_seconds gauge\nnodejs_eventloop_lag_seconds 0.25\n"
      "http_requests_in_flight 3\nhttp_server_active_requests{m=\"a\"} 4\n"
      "http_server_active_requests{m=\"b\"} 5\n");
  EXPECT_EQ(pages.host.last("app_eventloop_lag_seconds"), 0.25);
  EXPECT_EQ(pages.host.last("app_requests_in_flight"), 9);
}

TEST(LayerFacts, GoPoolsWithoutALimitHaveNone) {
  const std::string page =
      "# TYPE go_sql_max_open_connections gauge\ngo_sql_max_open_connections{db_name=\"a\"} 0\n"
      "go_sql_max_open_connections{db_name=\"b\"} 4\ngo_sql_in_use_connections{db_name=\"a\"} 7\n"
      "go_sql_in_use_connections{db_name=\"b\"} 4\n";
  Pages pages;
  pages.read(page);
  EXPECT_EQ(pages.host.last("app_pool_in_use{pool=a}"), 7);
  EXPECT_EQ(pages.host.info("app_pool_limit{pool=a}"), nullptr);
  EXPECT_EQ(pages.host.last("app_pool_utilisation_ratio{pool=b}"), 1);
}

TEST(LayerFacts, TotalsGoOnThroughARestart) {
  const auto page = [](double minor, double major) {
    return "nodejs_gc_duration_seconds_sum{kind=\"minor\"} " + std::to_string(minor) +
           "\nnodejs_gc_duration_seconds_sum{kind=\"major\"} " + std::to_string(major) + "\n";
  };
  Pages pages;
  pages.read(page(1, 2));
  pages.read(page(1.5, 2));
  pages.read(page(0.25, 0));
  EXPECT_NEAR(*pages.host.growth("app_gc_seconds_total"), 0.75, 1e-9);
}

TEST(LayerFacts, APageFullOfPoolsIsBounded) {
  std::string page;
  for (int i = 0; i < 500; ++i)
    page += "hikaricp_connections_active{pool=\"p" + std::to_string(i) + "\"} 1\n";
  Pages pages(500, "", "*");
  pages.read(page);
  EXPECT_EQ(pages.host.infos.size(), LayerFacts::kMostResources);
  EXPECT_TRUE(pages.scraped.too_many_pools());
}

TEST(LayerFacts, ValuesThatAreNoneAreNotTold) {
  Pages pages(500, "", "*");
  pages.read("http_requests_in_flight -1\nnodejs_eventloop_lag_seconds NaN\n");
  EXPECT_TRUE(pages.host.infos.empty());
}

}  // namespace
}  // namespace plumb::prom_scrape
