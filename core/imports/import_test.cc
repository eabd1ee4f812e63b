// Files as the tools write them become runs whose facts are what the tools saw.
#include "core/imports/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <sstream>

#include "core/facts/facts.h"
#include "core/session/temporary_directory_for_tests.h"

namespace plumb::imports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Import : public ::testing::Test {
 protected:
  static std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(PLUMB_SOURCE_DIR) / "core/imports/testdata" / name;
  }
  static std::string content(const std::filesystem::path& file) {
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return out.str();
  }
  std::filesystem::path write(const std::string& name, const std::string& text) {
    directory_.write(name, text);
    return directory_.path() / name;
  }

  Result<Imported> import(const std::filesystem::path& file, ImportOptions options = {}) {
    run_file_ = directory_.path() / ("run" + std::to_string(++runs_) + ".plumb");
    options.file_unix_ms = 1'763'732'400'000;
    store::RunHeader header;
    header.id = "20251121T134000Z-0001";
    header.name = "imported";
    header.plan = nlohmann::json::object();
    return import_file(file, options, run_file_, header);
  }
  // Imports what must be readable, and gives its facts.
  facts::FactSet facts_of(const std::filesystem::path& file, ImportOptions options = {}) {
    const auto imported = import(file, std::move(options));
    EXPECT_TRUE(imported.is_ok()) << imported.status().message();
    auto run = store::read_run(run_file_);
    EXPECT_TRUE(run.is_ok()) << run.status().message();
    if (!run.is_ok()) return {};
    run_ = std::move(*run);
    return facts::compute(run_);
  }
  std::string refusal(const std::string& text, ImportOptions options = {}) {
    const auto imported = import(write("refused.txt", text), std::move(options));
    EXPECT_FALSE(imported.is_ok()) << text;
    EXPECT_FALSE(std::filesystem::exists(run_file_)) << "a run file was left behind";
    return imported.is_ok() ? "" : imported.status().message();
  }
  std::string notes() const {
    std::string out;
    for (const Event& event : run_.events) out += event.message + "\n";
    return out;
  }

  TemporaryDirectory directory_;
  std::filesystem::path run_file_;
  int runs_ = 0;
  store::RunData run_;
};

TEST_F(Import, K6JsonIsPutTogetherToRequestsWithPhases) {
  const auto facts = facts_of(fixture("k6.ndjson"));
  EXPECT_EQ(facts.value("requests.count"), 48);
  EXPECT_EQ(facts.value("requests.failed"), 1);
  // 47 that succeeded: 24 reports of 20 ms and 23 orders of 30 ms, each with 0.5 ms around it.
  EXPECT_NEAR(*facts.value("latency.mean"), 0.0254, 0.0002);
  EXPECT_NEAR(*facts.value("phase.wait"), (24 * 0.02 + 23 * 0.03) / 47, 1e-5);
  EXPECT_NEAR(*facts.value("phase.connect"), 4 * 0.00075 / 47, 1e-6);
  EXPECT_NEAR(*facts.value("phase.queue"), 0.00025, 1e-6);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "GET /orders/:id"}}), 24);
  EXPECT_EQ(facts.value("load_users.mean"), 2);
  EXPECT_EQ(run_.header.plan["target"]["url"], "http://127.0.0.1:8080");
  EXPECT_EQ(facts.find("requests.count")->source, "k6");
  EXPECT_EQ(run_.header.started_unix_ms / 1000, 1'763'732'400);
}

TEST_F(Import, K6CsvSaysTheSameAsItsJson) {
  const auto from_json = facts_of(fixture("k6.ndjson"));
  const auto from_csv = facts_of(fixture("k6.csv"));
  for (const char* fact : {"requests.count", "requests.failed", "latency.mean", "latency.p95",
                           "phase.wait", "phase.connect"})
    EXPECT_EQ(from_csv.value(fact), from_json.value(fact)) << fact;
}

TEST_F(Import, K6PhasesSumToTheResponse) {
  const auto facts = facts_of(fixture("k6.ndjson"));
  double sum = 0;
  for (const char* phase : {"queue", "connect", "tls", "send", "wait", "transfer"})
    sum += facts.value_or(std::string("phase.") + phase, 0);
  EXPECT_NEAR(sum, *facts.value("latency.mean"), 1e-6);
}

TEST_F(Import, JmeterCsvCountsRequestsAndNotTransactions) {
  const auto facts = facts_of(fixture("jmeter.csv"));
  EXPECT_EQ(facts.value("requests.count"), 42);
  EXPECT_EQ(facts.value("requests.failed"), 2);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "Checkout"}}), std::nullopt);
  EXPECT_NEAR(*facts.value("latency.mean"), 0.042, 1e-4);
  ASSERT_FALSE(run_.tables.empty());
  EXPECT_THAT(run_.tables[0].json, HasSubstr("\"refused\""));
  EXPECT_THAT(run_.tables[0].json, HasSubstr("\"check\""));
}

TEST_F(Import, JmeterXmlCountsWhatIsOutermost) {
  const auto facts = facts_of(fixture("jmeter.xml"));
  EXPECT_EQ(facts.value("requests.count"), 7);
  EXPECT_EQ(facts.value("requests.failed"), 1);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "Home & start"}}), 6);
  EXPECT_NEAR(*facts.value("latency.mean"), 0.0425, 1e-4);
  EXPECT_THAT(run_.tables[0].json, HasSubstr("timeout_wait"));
}

TEST_F(Import, LocustsHistoryGivesTotalsAndNoInventedHistogram) {
  const auto facts = facts_of(fixture("locust_stats_history.csv"));
  EXPECT_EQ(facts.value("requests.count"), 1000);
  EXPECT_EQ(facts.value("requests.failed"), 10);
  EXPECT_EQ(facts.value("requests.rate"), 50);
  EXPECT_EQ(facts.value("latency.p95"), 0.058);
  EXPECT_EQ(facts.value("latency.mean"), 0.04325);
  EXPECT_EQ(facts.value("load_users.max"), 10);
  for (const store::SeriesData& series : run_.series) EXPECT_TRUE(series.histograms.empty());
  ASSERT_FALSE(run_.health.empty());
  EXPECT_EQ(run_.health[0].health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
}

TEST_F(Import, LocustsStatsHaveEveryEndpoint) {
  const auto facts = facts_of(fixture("locust_stats.csv"));
  EXPECT_EQ(facts.value("requests.count"), 1000);
  EXPECT_EQ(facts.value("latency.p95", {{"endpoint", "POST /orders"}}), 0.064);
  EXPECT_EQ(facts.value("requests.error_rate", {{"endpoint", "POST /orders"}}), 0.025);
  EXPECT_EQ(facts.value("window.seconds"), 20);
}

TEST_F(Import, HeysRowsBecomeHistograms) {
  ImportOptions options;
  options.reader.url = "http://127.0.0.1:8080/orders";
  const auto facts = facts_of(fixture("hey.csv"), options);
  EXPECT_EQ(facts.value("requests.count"), 120);
  EXPECT_EQ(facts.value("requests.failed"), 3);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "/orders"}}), 120);
  EXPECT_GT(*facts.value("latency.p99"), *facts.value("latency.p50"));
  EXPECT_THAT(notes(), HasSubstr("no clock time"));
}

TEST_F(Import, WrksSummaryGivesFactsAndLeavesUnknownWhatItDidNotPrint) {
  const auto facts = facts_of(fixture("wrk_latency.txt"));
  EXPECT_EQ(facts.value("requests.count"), 399);
  EXPECT_EQ(facts.value("requests.failed"), 9);
  EXPECT_EQ(facts.value("requests.rate"), 130.79);
  EXPECT_EQ(facts.value("latency.p99"), 0.08396);
  EXPECT_EQ(facts.value("latency.p95"), std::nullopt);
  EXPECT_EQ(facts_of(fixture("wrk_plain.txt")).value("latency.p50"), std::nullopt);
  EXPECT_EQ(run_.header.plan["target"]["url"], "http://127.0.0.1:18931");
  EXPECT_THAT(notes(), HasSubstr("without --latency"));
}

TEST_F(Import, H2loadsSummaryGivesFacts) {
  const auto facts = facts_of(fixture("h2load.txt"));
  EXPECT_EQ(facts.value("requests.count"), 200);
  EXPECT_EQ(facts.value("requests.failed"), 5);
  EXPECT_EQ(facts.value("latency.mean"), 0.05984);
  EXPECT_EQ(facts.value("latency.max"), 0.08138);
  EXPECT_EQ(facts.value("latency.p95"), std::nullopt);
}

TEST_F(Import, AccessLogsOfFourServersAreKnown) {
  struct Case {
    const char* file;
    const char* endpoint;
    double seconds;
  };
  for (const Case& one : {Case{"nginx_access.ndjson", "GET /orders/:id", 0.022},
                          Case{"envoy_access.ndjson", "GET /report", 0.025},
                          Case{"caddy_access.ndjson", "GET /orders/:id", 0.03125},
                          Case{"traefik_access.ndjson", "POST /orders", 0.015}}) {
    const auto facts = facts_of(fixture(one.file));
    EXPECT_EQ(facts.value("requests.count"), 40) << one.file;
    EXPECT_EQ(facts.value("requests.failed"), 1) << one.file;
    EXPECT_EQ(facts.value("requests.count", {{"endpoint", one.endpoint}}), 40) << one.file;
    EXPECT_NEAR(*facts.value("latency.mean"), one.seconds, 1e-4) << one.file;
    EXPECT_THAT(notes(), HasSubstr("what the server saw"));
  }
}

TEST_F(Import, NothingOfAQueryIsKept) {
  (void)facts_of(fixture("nginx_access.ndjson"));
  EXPECT_THAT(content(run_file_), Not(HasSubstr("secret")));
}

TEST_F(Import, FieldsOfAnyAccessLogCanBeNamed) {
  ImportOptions options;
  options.reader.fields = {
      {"time", "at"}, {"duration", "took:ms"}, {"status", "code"}, {"endpoint", "route"}};
  const auto facts = facts_of(fixture("plain_access.ndjson"), options);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "list orders"}}), 40);
  EXPECT_NEAR(*facts.value("latency.mean"), 0.0125, 1e-5);
  options.reader.fields["duration"] = "took";
  EXPECT_THAT(import(fixture("plain_access.ndjson"), options).status().message(),
              HasSubstr("--map duration=took:ms"));
}

TEST_F(Import, CompressedFilesAreReadAsTheyAre) {
  const std::string plain = content(fixture("k6.ndjson"));
  std::string zstd(ZSTD_compressBound(plain.size()), '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), plain.data(), plain.size(), 3));
  EXPECT_EQ(facts_of(write("k6.zst", zstd)).value("requests.count"), 48);
  const auto gz = directory_.path() / "k6.gz";
  gzFile file = gzopen(gz.c_str(), "wb");
  gzwrite(file, plain.data(), static_cast<unsigned>(plain.size()));
  gzclose(file);
  EXPECT_EQ(facts_of(gz).value("requests.count"), 48);
  EXPECT_THAT(import(write("torn.zst", zstd.substr(0, zstd.size() / 2))).status().message(),
              HasSubstr("ends within its zstd data"));
}

TEST_F(Import, AByteOrderMarkAndCrlfAreNoMatter) {
  std::string text = "\xef\xbb\xbf";
  for (const char c : content(fixture("jmeter.csv")))
    text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(facts_of(write("dos.csv", text)).value("requests.count"), 42);
}

TEST_F(Import, ALastLineThatWasCutOffIsLeftOutAndSaid) {
  std::string text = content(fixture("k6.ndjson"));
  text.resize(text.size() - 30);
  EXPECT_EQ(facts_of(write("torn.ndjson", text)).value("requests.count"), 48);
  EXPECT_THAT(notes(), HasSubstr("1 line could not be read"));
  ASSERT_EQ(run_.health.size(), 1u);
  EXPECT_THAT(run_.health[0].message, HasSubstr("1 line could not be read"));
}

TEST_F(Import, ASteadyStageBehindTheEndIsRefusedAndOneThatReachesBeyondItIsCut) {
  ImportOptions options;
  options.steady = {1200, 1800};
  EXPECT_THAT(refusal(content(fixture("k6.ndjson")), options),
              HasSubstr("--steady begins 20 min 0 s after the first request, and the last ended"));
  EXPECT_THAT(refusal(content(fixture("wrk_plain.txt")), options),
              HasSubstr("figures of the whole run, of which no part can be judged"));
  options.steady = {1, 1800};
  EXPECT_GT(facts_of(fixture("k6.ndjson"), options).value("requests.count"), 0);
  EXPECT_THAT(notes(), HasSubstr("--steady ends at 30 min 0 s, and the last request at"));
}

TEST_F(Import, AnErrorSaysFileLineColumnAndWhatWasExpected) {
  std::string text = content(fixture("jmeter.csv"));
  text.replace(text.find(",42,Home"), 4, ",-42,");
  EXPECT_THAT(refusal(text), HasSubstr("refused.txt:4:15: elapsed is '-42'; a length of time"));
  EXPECT_THAT(refusal("timeStamp,elapsed,label\n1763732400000,5,a\n1763732400000,nan,a\n"),
              HasSubstr(":3:15: elapsed is 'nan'"));
  EXPECT_THAT(refusal("timeStamp,elapsed,label\nyesterday,5,a\n"),
              HasSubstr(":2:1: timeStamp is 'yesterday'; a time"));
  EXPECT_THAT(refusal("timeStamp,elapsed,label\n1763732400000,5\n"),
              HasSubstr(":2: 2 fields where the header has 3"));
}

TEST_F(Import, ALenientImportLeavesBadLinesOutAndSaysHowMany) {
  ImportOptions options;
  options.lenient = true;
  const auto facts = facts_of(
      write("some.csv", "timeStamp,elapsed,label\n1763732400000,5,a\nx,5,a\n1763732401000,5,a\n"),
      options);
  EXPECT_EQ(facts.value("requests.count"), 2);
  EXPECT_THAT(notes(), HasSubstr("some.csv:3:1"));
}

TEST_F(Import, AnUnknownFormatIsSaidWithWhatIsKnown) {
  EXPECT_THAT(refusal("hello\nworld\n"), HasSubstr("begins with 'hello'"));
  EXPECT_THAT(refusal("{\"a\":1,\"b\":2}\n"), HasSubstr("a JSON object with a, b"));
  EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
  EXPECT_THAT(refusal("\xff\xfeh\0i\0"), HasSubstr("UTF-16"));
}

TEST_F(Import, AFormatThatIsSaidWrongIsAnErrorAndNoCrash) {
  const std::string texts[] = {content(fixture("k6.csv")),
                               content(fixture("wrk_latency.txt")),
                               "{}\n",
                               "\n\n",
                               ",,,\n,,,\n",
                               "\"\n\"\n"};
  for (const std::string& name : format_names())
    for (const std::string& text : texts) {
      ImportOptions options;
      options.format = name;
      (void)import(write("any", text), options);
    }
}

TEST_F(Import, TimesThatGoBackAreCountedWhereTheyBelong) {
  std::string text = "timeStamp,elapsed,label\n";
  for (int s = 59; s >= 0; --s)
    for (int i = 0; i < 10; ++i)
      text += std::to_string(1'763'732'400'000 + s * 1000 + i * 100) + ",20,a\n";
  const auto facts = facts_of(write("back.csv", text));
  EXPECT_EQ(facts.value("requests.count"), 600);
  EXPECT_NEAR(*facts.value("requests.rate"), 10, 0.1);
}

TEST_F(Import, ManyEndpointsAreFoldedAndSaid) {
  std::string text = "timeStamp,elapsed,label\n";
  for (int i = 0; i < 500; ++i)
    text +=
        std::to_string(1'763'732'400'000 + i * 100) + ",20,endpoint-" + std::to_string(i) + "\n";
  const auto facts = facts_of(write("many.csv", text));
  EXPECT_EQ(facts.value("requests.count"), 500);
  EXPECT_EQ(facts.value("requests.count", {{"endpoint", "(others)"}}), 300);
  EXPECT_THAT(notes(), HasSubstr("more than 200 endpoints"));
}

}  // namespace
}  // namespace plumb::imports
