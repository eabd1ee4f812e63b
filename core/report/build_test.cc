#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/facts/run_builder.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"
#include "core/report/testdata/hostile_text.h"
#include "core/report/testdata/sample_run.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_run;
using testing::SampleOptions;

json built(const store::RunData& run) {
  const auto report = build(run);
  EXPECT_TRUE(report.is_ok()) << report.status().message();
  return report.is_ok() ? *report : json::object();
}

json built(const SampleOptions& options) { return built(sample_run(options)); }

double sum_of(const json& values) {
  double sum = 0;
  for (const json& value : values) sum += number(value).value_or(0);
  return sum;
}

const json& series_of(const json& report, const std::string& name) {
  static const json kNone;
  for (const json& series : report["timeline"]["series"])
    if (series["name"] == name) return series;
  return kNone;
}

TEST(Build, TellsWhoRanWhatAndWhen) {
  const json report = built(SampleOptions{});
  EXPECT_EQ(report["schema_version"], kSchemaVersion);
  EXPECT_EQ(report["run"]["id"], "20261120T104512Z-7f3a");
  EXPECT_EQ(report["run"]["started"], "2026-11-20T10:45:12.345Z");
  EXPECT_EQ(report["run"]["state"], "finished");
  EXPECT_EQ(report["run"]["users"], 16);
  EXPECT_EQ(report["run"]["rate"], nullptr);
  EXPECT_EQ(report["run"]["target"], "http://127.0.0.1:18088");
  EXPECT_EQ(report["run"]["window"]["seconds"], 30);
  EXPECT_EQ(report["run"]["window"]["start_s"], 2);
  EXPECT_EQ(report["environment"]["host"]["processor"], "Example CPU @ 2.4 GHz");
}

TEST(Build, AnOpenModelHasItsRateAsANumber) {
  store::RunData run = sample_run();
  run.header.plan["load"] = {{"model", "open"}, {"rate", "200/s"}};
  EXPECT_EQ(built(run)["run"]["rate"], 200);
}

TEST(Build, LedgerLinesSumToWhatTheClientSaw) {
  const json report = built(SampleOptions{});
  double sum = 0;
  for (const json& line : report["ledger"]) sum += line["ms"].get<double>();
  const double total = report["ledger_summary"]["total_ms"];
  EXPECT_NEAR(sum, total, 1e-6);
  EXPECT_GT(total, 70);
  EXPECT_EQ(report["verdict"]["bottleneck"]["cause"], "db-pool-exhausted");
}

TEST(Build, EveryEvidenceIdNamesAFact) {
  const json report = built(SampleOptions{});
  std::set<std::string> known;
  for (const json& fact : report["facts"]) known.insert(fact["id"].get<std::string>());
  size_t checked = 0;
  for (const char* part : {"ledger", "changes", "matrix", "findings", "slos"})
    for (const json& entry : report[part])
      for (const json& id : entry["evidence"]) {
        EXPECT_EQ(known.count(id.get<std::string>()), 1u) << id;
        ++checked;
      }
  EXPECT_GT(checked, 10u);
}

TEST(Build, TimelineCountsEveryRequestOnce) {
  const json report = built(SampleOptions{});
  const json& timeline = report["timeline"];
  EXPECT_EQ(timeline["interval_s"], 1);
  EXPECT_EQ(timeline["t_s"].size(), 33u);
  EXPECT_NEAR(sum_of(timeline["requests_per_s"]), 33 * 221, 1);
  EXPECT_NEAR(sum_of(timeline["errors_per_s"]), 33, 0.5);
  for (const json& value : timeline["p50_ms"]) EXPECT_NEAR(value.get<double>(), 79, 3);
}

TEST(Build, ALongRunIsToldInAtMost600Intervals) {
  SampleOptions options;
  options.steady_s = 1500;
  const json timeline = built(options)["timeline"];
  EXPECT_LE(timeline["t_s"].size(), 600u);
  EXPECT_EQ(timeline["interval_s"], 3);
  for (const char* key : {"requests_per_s", "p50_ms", "in_flight"})
    EXPECT_EQ(timeline[key].size(), timeline["t_s"].size());
  // The last interval may be a rest; the others are whole.
  for (size_t i = 0; i + 1 < timeline["t_s"].size(); ++i)
    ASSERT_NEAR(timeline["requests_per_s"][i].get<double>(), 221, 2) << i;
}

TEST(Build, AStallIsZeroRequestsAndNoLatency) {
  store::RunData run = sample_run();
  for (store::SeriesData& series : run.series)
    std::erase_if(series.histograms, [&](const HistogramRecord& record) {
      const double at = static_cast<double>(record.start_ns - run.header.started_ns) / 1e9;
      return at > 9.5 && at < 11.5;
    });
  const json timeline = built(run)["timeline"];
  EXPECT_EQ(timeline["requests_per_s"][10], 0);
  EXPECT_EQ(timeline["p99_ms"][10], nullptr);
  EXPECT_NE(timeline["p99_ms"][12], nullptr);
}

TEST(Build, WhatAPluginDidNotSeeIsNullAndNotZero) {
  SampleOptions options;
  options.dark_after_s = 12.3;
  const json report = built(options);
  const json& sessions = series_of(report, "pg_sessions");
  ASSERT_FALSE(sessions.is_null());
  EXPECT_FALSE(sessions["values"][5].is_null());
  EXPECT_TRUE(sessions["values"][20].is_null());
  EXPECT_EQ(report["health"].back()["health"], "dark");
  EXPECT_EQ(report["health"].back()["at_s"], 12.3);
}

TEST(Build, CountersAreShownAsGrowthPerSecond) {
  const json report = built(SampleOptions{});
  const json& cpu = series_of(report, "target_cpu_seconds_total");
  EXPECT_EQ(cpu["unit"], "seconds/s");
  EXPECT_NEAR(cpu["values"][10].get<double>(), 0.16, 0.02);
}

TEST(Build, AnUnknownPluginsUtilisationIsShown) {
  store::RunData run = sample_run();
  store::SeriesData series;
  series.info = {.id = 999,
                 .plugin = "cache",
                 .name = "cache_full_ratio",
                 .unit = "ratio",
                 .help = "Cache in use",
                 .part = PLUMB_PART_UTILISATION};
  series.times_ns = {run.header.started_ns + 1'000'000'000};
  series.values = {0.5};
  run.series.push_back(series);
  const json report = built(run);
  EXPECT_EQ(series_of(report, "cache_full_ratio")["title"], "Cache in use");
  EXPECT_THAT(to_html(report), HasSubstr("Cache in use"));
}

TEST(Build, HistogramHoldsEverySuccessInAtMost60Bars) {
  const json report = built(SampleOptions{});
  double count = 0;
  double last = 0;
  for (const json& bar : report["latency_histogram"]) {
    if (last != 0) {
      EXPECT_EQ(bar["from_ms"], last);
    }
    last = bar["to_ms"];
    count += bar["count"].get<double>();
  }
  EXPECT_EQ(count, 30 * 220);
  EXPECT_LE(report["latency_histogram"].size(), 60u);
}

TEST(Build, EndpointsAndErrorsAreGrouped) {
  const json report = built(SampleOptions{});
  ASSERT_EQ(report["endpoints"].size(), 2u);
  EXPECT_EQ(report["endpoints"][1]["endpoint"], "report");
  EXPECT_NEAR(report["endpoints"][1]["p95_ms"].get<double>(), 82, 3);
  ASSERT_EQ(report["errors"].size(), 1u);
  EXPECT_EQ(report["errors"][0]["status"], "503");
}

TEST(Build, AnEndpointThatNeverSucceededHasNoLatency) {
  store::RunData run = sample_run();
  std::erase_if(run.series, [](const store::SeriesData& series) {
    return series.info.labels.size() == 2 && series.info.labels[1].second == "ok";
  });
  const json report = built(run);
  ASSERT_EQ(report["endpoints"].size(), 1u);
  EXPECT_EQ(report["endpoints"][0]["p95_ms"], nullptr);
  EXPECT_EQ(report["endpoints"][0]["error_rate"], 1);
  EXPECT_EQ(report["ledger_summary"]["total_ms"], nullptr);
}

TEST(Build, AnEmptyRunIsAReportToo) {
  const json report = built(store::RunData{});
  EXPECT_EQ(report["verdict"]["label"], "Inconclusive");
  EXPECT_EQ(report["run"]["window"], nullptr);
  EXPECT_TRUE(report["ledger"].empty());
  EXPECT_TRUE(report["timeline"]["t_s"].empty());
  EXPECT_THAT(to_html(report), HasSubstr("Inconclusive"));
}

TEST(Build, ARunWithoutLoadStillShowsTheMachine) {
  SampleOptions options;
  options.load = false;
  const json report = built(options);
  EXPECT_TRUE(report["endpoints"].empty());
  EXPECT_EQ(report["run"]["model"], nullptr);
  for (const json& value : report["timeline"]["requests_per_s"]) EXPECT_TRUE(value.is_null());
  EXPECT_FALSE(series_of(report, "host_cpu_busy_ratio").is_null());
  EXPECT_THAT(to_html(report), Not(HasSubstr("id=\"chart-latency\"")));
}

TEST(Build, AKilledRunSaysSo) {
  SampleOptions options;
  options.killed_after_s = 9;
  const json report = built(options);
  EXPECT_EQ(report["run"]["state"], "running");
  EXPECT_THAT(report["notes"][0].get<std::string>(), HasSubstr("cut off after 9.0 s"));
  EXPECT_LE(report["timeline"]["t_s"].size(), 9u);
  EXPECT_THAT(to_console(report, {}), HasSubstr("cut off after 9.0 s"));
  EXPECT_THAT(to_html(report), HasSubstr("cut off after 9.0 s"));
}

TEST(Build, ARunOfThreeSecondsHasCharts) {
  SampleOptions options;
  options.warmup_s = options.cooldown_s = 0;
  options.steady_s = 3;
  const json report = built(options);
  EXPECT_EQ(report["timeline"]["t_s"].size(), 3u);
  const std::string html = to_html(report);
  for (const char* id : {"chart-latency", "chart-throughput", "chart-histogram", "chart-host-1"})
    EXPECT_THAT(html, HasSubstr(std::string("id=\"") + id + "\""));
}

TEST(Build, BadTablesAreLeftOutAndSaidSo) {
  store::RunData run = sample_run();
  run.tables.push_back({"odd", 0, "odd_table", "{\"rows\": 3"});
  run.tables.push_back(
      {"odd", 0, "ragged", R"({"columns": [{"key": "a"}], "rows": [[], [1, 2]]})"});
  const json report = built(run);
  EXPECT_FALSE(report["tables"].contains("odd_table"));
  EXPECT_EQ(report["tables"]["ragged"]["rows"].dump(), "[[null],[1]]");
  EXPECT_THAT(report["notes"].dump(), HasSubstr("Table odd_table of plugin odd is left out"));
}

TEST(Build, EventsAreCappedTheSevereKept) {
  store::RunData run = sample_run();
  for (int i = 0; i < 500; ++i)
    run.events.push_back({"x", run.header.started_ns + i, PLUMB_INFO, "chatter", "", ""});
  run.events.push_back({"x", run.ended_ns, PLUMB_ERROR, "disk-full", "", "not json"});
  const json report = built(run);
  EXPECT_EQ(report["events"].size(), 200u);
  EXPECT_EQ(report["events"].back()["kind"], "disk-full");
  EXPECT_EQ(report["events"].back()["attributes"], nullptr);
}

TEST(Build, ASamplerThatHadToSlowDownIsNotedAsItStandsInTheEnd) {
  store::RunData run = sample_run();
  run.events.push_back({"pg_stats", run.ended_ns, PLUMB_WARNING, "sampler-slowed", "slower", ""});
  run.events.push_back({"pg_stats", run.ended_ns, PLUMB_WARNING, "sampler-slowed", "slowest", ""});
  EXPECT_THAT(built(run)["notes"].dump(),
              AllOf(HasSubstr("\"slowest.\""), Not(HasSubstr("slower"))));
}

TEST(Build, StagesAreJudgedOneByOneAndNamedInEveryForm) {
  SampleOptions options;
  options.stages = true;
  const json report = built(options);
  ASSERT_EQ(report["stages"].size(), 4u);
  EXPECT_EQ(report["stages"][2]["kind"], "spike");
  const std::string html = to_html(report);
  for (const std::string& text : {html, to_console(report, {}), to_markdown(report)})
    EXPECT_THAT(text, HasSubstr("after the sale"));
  EXPECT_THAT(html, HasSubstr("\"id\":\"chart-over-time\""));
  // What a stage spends most on is told as the ledger tells it, not by its key.
  EXPECT_THAT(html, Not(HasSubstr("queue.pool ")));
  EXPECT_THAT(html, HasSubstr("queue: for a pool connection "));
}

TEST(Build, WhatChangedUnderTheSameLoadNamesItsFacts) {
  std::vector<double> seconds(32, 0.02);
  seconds.push_back(0.08);
  testing::RunBuilder run(60);
  run.requests_over_time(seconds, 100);
  const json report = built(run.data());
  ASSERT_EQ(report["changes"].size(), 2u);
  const json& change = report["changes"][0];
  EXPECT_EQ(change["measure"], "latency.p50");
  EXPECT_EQ(change["at_s"], 32);
  EXPECT_EQ(change["gradual"], false);
  EXPECT_EQ(change["evidence"].size(), 3u);
  EXPECT_THAT(text(change, "sentence"), HasSubstr("p50 rose from 20.0 ms to 80"));
  EXPECT_TRUE(built(SampleOptions{})["changes"].empty());
}

TEST(Build, HostileNamesGiveValidJson) {
  SampleOptions options;
  options.suffix = testing::kHostile;
  const json report = built(options);
  EXPECT_NO_THROW((void)report.dump());
  options.suffix = std::string(10000, 'y');
  EXPECT_LT(to_html(built(options)).size(), 500u * 1024);
}

}  // namespace
}  // namespace plumb::report
