// The plugin through its C entry, against real HTTP servers on loopback: one of the test's own, and
// the exposer of prometheus-cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <zlib.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "plugins/prom_scrape/metrics_server.h"
#include "tests/support/recording_host.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::prom_scrape {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Answer = MetricsServer::Answer;
using test_support::RecordingHost;

constexpr uint32_t kOk = PLUMB_HEALTH_OK;
constexpr uint32_t kDegraded = PLUMB_HEALTH_DEGRADED;
constexpr uint32_t kDark = PLUMB_HEALTH_DARK;

constexpr int64_t kMs = 1'000'000;

// An instance, called as the host calls it, by a clock of the test's own.
class Scraper {
 public:
  explicit Scraper(const std::string& target_url,
                   const std::map<std::string, std::string>& texts = {},
                   const std::map<std::string, int64_t>& numbers = {}) {
    host.fake_now = 1'000'000 * kMs;
    EXPECT_EQ(table_->create(host.get(), &self_, &error_), PLUMB_OK);
    std::vector<plumb_value> values;
    for (const auto& [key, value] : texts)
      values.push_back(
          {sizeof(plumb_value), PLUMB_OPTION_STRING, key.c_str(), value.c_str(), 0, 0});
    for (const auto& [key, value] : numbers)
      values.push_back({sizeof(plumb_value), PLUMB_OPTION_INTEGER, key.c_str(), nullptr, value, 0});
    const std::string document =
        nlohmann::json{{"target", {{"url", target_url}, {"host", "127.0.0.1"}}}}.dump();
    const plumb_config config{sizeof(plumb_config), static_cast<uint32_t>(values.size()),
                              values.data(), document.c_str()};
    configured = table_->configure(self_, &config, &error_) == PLUMB_OK;
  }
  ~Scraper() { table_->destroy(self_); }
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  void start() { EXPECT_EQ(table_->start(self_, &error_), PLUMB_OK) << error_.message; }
  // The clock's next tick.
  void collect(int64_t after_ns = 1'000 * kMs) {
    *host.fake_now += after_ns;
    EXPECT_EQ(table_->collect(self_, &error_), PLUMB_OK) << error_.message;
  }
  void stage(int64_t start_ns) {
    const plumb_stage stage{sizeof(plumb_stage), PLUMB_STAGE_STEADY, "steady", start_ns,
                            start_ns + 1'000 * kMs};
    EXPECT_EQ(table_->stage(self_, &stage, &error_), PLUMB_OK) << error_.message;
  }
  void stop() {
    EXPECT_EQ(table_->stop(self_, *host.fake_now + 1'000 * kMs, &error_), PLUMB_OK)
        << error_.message;
  }
  void interrupt() { table_->interrupt(self_); }
  std::string error() const { return error_.message; }

  RecordingHost host;
  bool configured = false;

 private:
  const plumb_plugin* table_ = plumb_plugin_entry_v1();
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
};

Answer page(double jobs, double start = 0) {
  std::string body = "# TYPE jobs_total counter\njobs_total " + std::to_string(jobs) + "\n";
  if (start > 0) body += "process_start_time_seconds " + std::to_string(start) + "\n";
  return {body};
}

// Of text that compresses well.
std::string gzip_of(const std::string& plain) {
  std::string out(plain.size() / 500 + 1'000, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TEST(PromScrape, ChangingMetricsBecomeSeriesOverOneConnection) {
  MetricsServer server;
  server.answer(page(10));
  Scraper scraper(server.url());
  scraper.start();
  server.answer(page(25));
  scraper.collect();
  server.answer(page(26));
  scraper.collect();
  scraper.stop();
  EXPECT_EQ(scraper.host.growth("scraped_jobs_total"), 16);
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
  EXPECT_EQ(server.connections(), 1u);
  ASSERT_EQ(server.requests().size(), 3u);
  EXPECT_THAT(server.requests()[0], StartsWith("GET /metrics HTTP/1.1"));
  EXPECT_THAT(server.requests()[0], HasSubstr("application/openmetrics-text;version=1.0.0"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Accept-Encoding: gzip"));
  EXPECT_EQ(scraper.host.tables["scraped_metrics"]["rows"][0][5], 26.0);
}

TEST(PromScrape, WhatPrometheusCppExposesIsReadAsItWasObserved) {
  const auto registry = std::make_shared<prometheus::Registry>();
  auto& jobs = prometheus::BuildCounter()
                   .Name("jobs_total")
                   .Help("Jobs")
                   .Register(*registry)
                   .Add({{"kind", "a \"b\"\n\\c"}});
  auto& depth = prometheus::BuildGauge().Name("depth").Register(*registry).Add({});
  prometheus::Histogram::BucketBoundaries bounds;
  for (int i = 1; i <= 50; ++i) bounds.push_back(0.01 * i);
  auto& latency =
      prometheus::BuildHistogram().Name("latency_seconds").Register(*registry).Add({}, bounds);
  prometheus::Exposer exposer("127.0.0.1:0");
  exposer.RegisterCollectable(registry);
  latency.Observe(0.4);  // before the run

  Scraper scraper("http://127.0.0.1:" + std::to_string(exposer.GetListeningPorts().at(0)));
  scraper.start();
  double sum = 0;
  for (int interval = 0; interval < 5; ++interval) {
    for (int i = 0; i < 200; ++i) {
      const double seconds = 0.001 + 0.0004 * ((i * 37 + interval * 11) % 1'000);
      latency.Observe(seconds);
      sum += seconds;
    }
    jobs.Increment(7);
    depth.Set(interval);
    scraper.collect();
  }
  scraper.stop();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
  EXPECT_EQ(scraper.host.growth("scraped_jobs_total{kind=a \"b\" \\c}"), 35);
  EXPECT_EQ(scraper.host.last("scraped_depth"), 4);
  const Histogram observed = scraper.host.merged("scraped_latency_seconds");
  EXPECT_EQ(observed.count(), 1'000u);
  // The text gives the sum with finite digits.
  EXPECT_NEAR(*observed.mean() / 1e9, sum / 1'000, 1e-5);
  for (const double q : {0.1, 0.5, 0.9, 0.99})
    EXPECT_NEAR(*observed.quantile(q) / 1e9, 0.001 + 0.4 * q, 0.012) << q;
}

TEST(PromScrape, ARestartOfTheTargetIsSurvivedAndTold) {
  auto server = std::make_unique<MetricsServer>();
  const uint16_t port = server->port();
  server->answer(page(100, wall_seconds() - 500));
  Scraper scraper(server->url());
  scraper.start();
  server->answer(page(120, wall_seconds() - 500));
  scraper.collect();
  server.reset();
  scraper.collect();
  EXPECT_EQ(scraper.host.health, kDark);
  EXPECT_THAT(scraper.host.health_message, HasSubstr("no metrics from http://127.0.0.1:"));
  server = std::make_unique<MetricsServer>(port);
  server->answer(page(130, wall_seconds()));
  scraper.collect();
  server->answer(page(131, wall_seconds()));
  scraper.collect();
  scraper.stop();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
  EXPECT_EQ(scraper.host.growth("scraped_jobs_total"), 20 + 131);
  EXPECT_THAT(scraper.host.events, Contains(StartsWith("app-restarted: ")));
}

TEST(PromScrape, GarbageInBetweenCostsNothingButItsOwnTime) {
  MetricsServer server;
  Scraper scraper(server.url());
  server.answer(page(1));
  scraper.start();
  const struct {
    Answer answer;
    const char* told;
  } cases[] = {
      {{"<!DOCTYPE html>\n<html><body>jobs_total 1</body></html>\n", 200, "text/html"},
       "a page for people (HTML)"},
      {{"{\"status\":\"UP\"}", 200, "application/json"}, "answers with JSON"},
      {{""}, "its page is empty"},
      {{"# HELP jobs_total Jobs\n"}, "are no metrics"},
      {{std::string("\x7f"
                    "ELF\x02\x01\0\0\n\0\xff\n",
                    12)},
       "are no metrics"},
      {{"jobs_total 900\nThis is not\nwhat you were\nlooking for\n"}, "are no metrics"},
      {{"", 404}, "there is no such page (404): set url"},
      {{"", 401}, "asks for credentials (401): give bearer_token"},
      {{"", 500}, "status 500: the application's own log"},
      {{"", 204}, "status 204: set url"},
      {{"", 301, "text/plain", {{"Location", "http://127.0.0.1:1/elsewhere\x01"}}},
       "redirects to \"http://127.0.0.1:1/elsewhere"},
      {{std::string(20'000, 'x'), 200, "text/plain", {}, Answer::kCutOff}, "was cut off"},
      {{"not gzip at all", 200, "text/plain", {{"Content-Encoding", "gzip"}}},
       "the answer's compression is damaged"},
      {{gzip_of("jobs_total 900\n") + "tail", 200, "text/plain", {{"Content-Encoding", "gzip"}}},
       "something follows its end"},
  };
  for (const auto& c : cases) {
    server.answer(c.answer);
    scraper.collect();
    EXPECT_EQ(scraper.host.health, kDark) << c.told;
    EXPECT_THAT(scraper.host.health_message, HasSubstr(c.told));
  }
  server.answer(page(5));
  scraper.collect();
  scraper.stop();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
  EXPECT_EQ(scraper.host.growth("scraped_jobs_total"), 4);
  EXPECT_THAT(scraper.host.events, IsEmpty());
}

TEST(PromScrape, ATornPageGivesItsWholeLinesAndIsTold) {
  MetricsServer server;
  Scraper scraper(server.url());
  server.answer(
      {"# TYPE a_total counter\na_total 5\nb 12", 200, "text/plain", {}, Answer::kUntilClose});
  scraper.start();
  EXPECT_EQ(scraper.host.health, kDegraded);
  EXPECT_THAT(scraper.host.health_message, HasSubstr("line 3, the text ends within the line"));
  EXPECT_EQ(scraper.host.last("scraped_b"), std::nullopt);
  EXPECT_EQ(scraper.host.last("scraped_a_total"), 5);
  server.answer({"# TYPE a counter\na_total 7\nb 123\n", 200,
                 "application/openmetrics-text; version=1.0.0; charset=utf-8"});
  scraper.collect();
  EXPECT_THAT(scraper.host.health_message, HasSubstr("ends without # EOF"));
  server.answer({"# TYPE a counter\na_total 7\nb 123\n# EOF\n",
                 200,
                 "application/openmetrics-text; version=1.0.0; charset=utf-8",
                 {},
                 Answer::kChunked});
  scraper.collect();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
  EXPECT_EQ(scraper.host.last("scraped_b"), 123);
}

TEST(PromScrape, ALastLineWithoutALineFeedIsReadWhenTheLengthWasTold) {
  MetricsServer server;
  server.answer({"b 123"});
  Scraper scraper(server.url());
  scraper.start();
  EXPECT_EQ(scraper.host.last("scraped_b"), 123);
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
}

TEST(PromScrape, ATargetThatStartsLaterIsFound) {
  uint16_t port = 0;
  { port = MetricsServer().port(); }
  Scraper scraper("http://127.0.0.1:" + std::to_string(port));
  scraper.start();
  EXPECT_EQ(scraper.host.health, kDark);
  MetricsServer server(port);
  server.answer(page(1));
  scraper.collect();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
}

TEST(PromScrape, APageThatIsTooLargeIsRefusedCompressedToo) {
  MetricsServer server;
  Scraper scraper(server.url(), {}, {{"timeout", 20'000'000'000}});
  server.answer({std::string((size_t{16} << 20) + 1, '#')});
  scraper.start();
  EXPECT_THAT(scraper.host.health_message, HasSubstr("larger than 16 MiB"));
  server.answer({gzip_of(std::string(size_t{64} << 20, '#')),
                 200,
                 "text/plain",
                 {{"Content-Encoding", "gzip"}}});
  scraper.host.health_message.clear();
  scraper.collect(60'000 * kMs);
  EXPECT_THAT(scraper.host.health_message, HasSubstr("larger than 16 MiB"));
  server.answer(page(1));
  scraper.collect(60'000 * kMs);
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
}

TEST(PromScrape, AnEndpointThatHangsIsGivenUpInTimeAndOnInterrupt) {
  MetricsServer server;
  server.answer({.body = "", .framing = Answer::kNone});
  Scraper scraper(server.url(), {}, {{"timeout", 100'000'000}});
  const auto begin = std::chrono::steady_clock::now();
  scraper.start();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_THAT(scraper.host.health_message, HasSubstr("within 100 ms: raise timeout"));

  Scraper patient(server.url(), {}, {{"timeout", 30'000'000'000}});
  const auto again = std::chrono::steady_clock::now();
  std::thread interrupter([&] {
    while (server.requests().size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    patient.interrupt();
  });
  patient.start();
  interrupter.join();
  EXPECT_LT(std::chrono::steady_clock::now() - again, std::chrono::seconds(5));
  patient.stop();
}

TEST(PromScrape, CredentialsAreSentAndNeverTold) {
  MetricsServer server;
  server.answer({"", 403});
  Scraper scraper(server.url(), {{"bearer_token", "tok-hunter2"}, {"header", "X-Key: hunter3"}});
  scraper.start();
  EXPECT_THAT(server.requests().at(0), HasSubstr("Authorization: Bearer tok-hunter2\r\n"));
  EXPECT_THAT(server.requests().at(0), HasSubstr("X-Key: hunter3\r\n"));
  EXPECT_THAT(scraper.host.health_message, HasSubstr("refuses what bearer_token or header say"));
  server.answer(page(1));
  scraper.collect();
  scraper.stop();
  EXPECT_THAT(scraper.host.health_message, Not(HasSubstr("hunter")));
  EXPECT_THAT(scraper.host.tables["scraped_metrics"].dump(), Not(HasSubstr("hunter")));
}

TEST(PromScrape, OptionsThatCannotBeAreRefusedWithASentence) {
  const auto refusal = [](const std::map<std::string, std::string>& options) {
    Scraper scraper("http://127.0.0.1:1", options);
    EXPECT_FALSE(scraper.configured);
    return scraper.error();
  };
  EXPECT_THAT(refusal({{"url", "http://elsewhere.example/metrics"}}),
              HasSubstr("neither on this machine nor on the target's host"));
  EXPECT_THAT(refusal({{"include", "a b"}}), HasSubstr("include: \"a b\""));
  EXPECT_THAT(refusal({{"header", "no colon hunter2"}}), HasSubstr("Name: value"));
  EXPECT_THAT(refusal({{"header", "X: hunter2\r\nHost: evil"}}), HasSubstr("line break"));
  EXPECT_THAT(refusal({{"bearer_token", "hunter2\nX: y"}}), Not(HasSubstr("hunter2")));
}

TEST(PromScrape, AStagesBeginIsScrapedAndCutsHistograms) {
  MetricsServer server;
  const auto with = [](int count) {
    return Answer{"# TYPE l_seconds histogram\nl_seconds_bucket{le=\"1\"} " +
                  std::to_string(count) + "\nl_seconds_bucket{le=\"+Inf\"} " +
                  std::to_string(count) + "\nl_seconds_count " + std::to_string(count) +
                  "\nl_seconds_sum " + std::to_string(count * 0.5) + "\n"};
  };
  server.answer(with(0));
  Scraper scraper(server.url());
  scraper.start();
  server.answer(with(4));
  const int64_t boundary = *scraper.host.fake_now + 300 * kMs;
  *scraper.host.fake_now = boundary + 4 * kMs;
  scraper.stage(boundary);
  server.answer(with(7));
  scraper.collect();
  const auto& records = scraper.host.histograms["scraped_l_seconds"];
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].end_ns, boundary);
  EXPECT_EQ(records[1].start_ns, boundary);
  EXPECT_EQ(records[0].histogram.count(), 4u);
  EXPECT_EQ(records[1].histogram.count(), 3u);
}

TEST(PromScrape, APageThatIsDearToReadIsReadMoreSeldom) {
  MetricsServer server;
  std::string body;
  for (int i = 0; i < 150'000; ++i) body += "a{i=\"" + std::to_string(i) + "\"} 1\n";
  server.answer({body});
  Scraper scraper(server.url(), {}, {{"timeout", 20'000'000'000}});
  scraper.start();
  EXPECT_THAT(scraper.host.health_message, HasSubstr("149500 series are beyond max_series (500)"));
  for (int i = 0; i < 5; ++i) scraper.collect(10 * kMs);
  EXPECT_EQ(server.requests().size(), 1u);
  scraper.collect(60'000 * kMs);
  EXPECT_EQ(server.requests().size(), 2u);
  EXPECT_THAT(scraper.host.health_message, HasSubstr("ms of processor time"));
  scraper.stop();
}

TEST(PromScrape, ATickThatAStagesScrapeStoodInForIsNoScrapeTooFew) {
  MetricsServer server;
  server.answer(page(1));
  Scraper scraper(server.url());
  scraper.start();
  for (int i = 0; i < 3; ++i) {
    scraper.collect();
    *scraper.host.fake_now += 999 * kMs;
    scraper.stage(*scraper.host.fake_now);
    scraper.collect(1);
  }
  scraper.collect();
  EXPECT_EQ(scraper.host.health, kOk) << scraper.host.health_message;
}

TEST(PromScrape, AnAnswerThatIsDearToRefuseIsAskedForMoreSeldomToo) {
  const std::string large(size_t{15} << 20, '<');
  const Answer refused[] = {{large},                                      // a page for people
                            {large, 500},                                 // an error
                            {std::string((size_t{16} << 20) + 1, '#')}};  // too large to be read
  for (const Answer& answer : refused) {
    MetricsServer server;
    server.answer(answer);
    Scraper scraper(server.url(), {}, {{"timeout", 20'000'000'000}});
    scraper.start();
    ASSERT_EQ(scraper.host.health, kDark);
    for (int i = 0; i < 5; ++i) scraper.collect(kMs);
    EXPECT_EQ(server.requests().size(), 1u);
    scraper.collect(60'000 * kMs);
    EXPECT_EQ(server.requests().size(), 2u);
    EXPECT_EQ(scraper.host.health, kDark);
    EXPECT_THAT(scraper.host.health_message, HasSubstr("ms of processor time"));
  }
}

TEST(PromScrape, StopWithoutAPageIsQuiet) {
  Scraper scraper("http://127.0.0.1:1");
  scraper.stop();
  EXPECT_THAT(scraper.host.tables, IsEmpty());
}

}  // namespace
}  // namespace plumb::prom_scrape
