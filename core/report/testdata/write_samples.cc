// Writes the sample runs' reports into a directory, for tests in a browser and against the schema:
// report_samples DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/json_text.h"
#include "core/compare/comparison.h"
#include "core/compare/simulated_run_for_tests.h"
#include "core/compare/trend.h"
#include "core/facts/run_builder.h"
#include "core/profile/difference.h"
#include "core/report/comparison.h"
#include "core/report/difference.h"
#include "core/report/report.h"
#include "core/report/testdata/hostile_text.h"
#include "core/report/testdata/sample_run.h"
#include "core/report/testdata/sample_stacks.h"
#include "core/report/trend.h"

namespace {

using plumb::testing::SampleOptions;

bool write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  return out.good();
}

bool write_report(const std::filesystem::path& directory, const std::string& name,
                  const nlohmann::json& report) {
  return write(directory / (name + ".html"), plumb::report::to_html(report)) &&
         write(directory / (name + ".md"), plumb::report::to_markdown(report)) &&
         write(directory / (name + ".csv"), plumb::report::to_csv(report)) &&
         write(directory / (name + ".txt"), plumb::report::to_console(report, {}));
}

bool write_sample(const std::filesystem::path& directory, const std::string& name,
                  const plumb::store::RunData& run) {
  const auto report = plumb::report::build(run);
  if (!report.is_ok()) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), report.status().message().c_str());
    return false;
  }
  return write(directory / (name + ".json"), report->dump(1)) &&
         write_report(directory, name, *report);
}

// A run whose latency stepped up, and whose memory grew bit by bit, under the same load.
plumb::store::RunData changed_run() {
  std::vector<double> seconds(42, 0.02);
  seconds.push_back(0.08);
  plumb::testing::RunBuilder run(90);
  run.requests_over_time(seconds, 100);
  run.rising_gauge("target_resident_bytes", 100e6, 300e6, {}, "bytes");
  return std::move(run.data());
}

// A report that somebody made by hand to harm its reader; no run gives it.
bool write_forged(const std::filesystem::path& directory) {
  SampleOptions options;
  options.analysis = true;
  options.profiles = true;
  options.dark_after_s = 12;
  const auto report = plumb::report::build(plumb::testing::sample_run(options));
  return report.is_ok() &&
         write_report(directory, "forged",
                      plumb::testing::with_every_text(*report, plumb::testing::kHostile));
}

bool write_comparison_of(const std::filesystem::path& directory, const std::string& name,
                         const nlohmann::json& comparison) {
  return write(directory / (name + ".html"), plumb::report::comparison_to_html(comparison)) &&
         write(directory / (name + ".md"), plumb::report::comparison_to_markdown(comparison)) &&
         write(directory / (name + ".txt"), plumb::report::comparison_to_console(comparison, {}));
}

// A service whose commits became slow and whose one query is called 51 times, against two runs
// before that; and a run that is too short.
bool write_run_comparison(const std::filesystem::path& directory) {
  plumb::testing::SimulatedService before;
  before.database_s = 0.001;
  before.calls = 1;
  plumb::testing::SimulatedService after = before;
  after.database_s = 0.016;
  after.calls = 51;
  after.failed_share = 0.004;
  const auto measured = [](const plumb::testing::SimulatedService& service, uint64_t seed) {
    plumb::store::RunData run = plumb::testing::simulated_run(service, seed);
    // A second endpoint, as it was.
    plumb::testing::SimulatedService list;
    list.endpoint = "list";
    list.rate = 60;
    list.typical_s = 0.002;
    for (plumb::store::SeriesData& series : plumb::testing::simulated_run(list, seed).series)
      if (!series.histograms.empty()) run.series.push_back(std::move(series));
    run.stacks = [](const auto&) { return plumb::Status::ok(); };
    return plumb::compare::measure(run);
  };
  auto first = measured(before, 1);
  auto second = measured(before, 2);
  auto run = measured(after, 3);
  after.seconds = 20;
  const auto brief = measured(after, 4);
  if (!first.is_ok() || !second.is_ok() || !run.is_ok() || !brief.is_ok()) return false;
  run->environment["processors"] = 4;
  run->environment["plumb"] = "0.2.0";
  run->plan["load"]["rate"] = "220/s";
  auto compared = plumb::compare::compare({*first, *second}, *run, {});
  const auto said_nothing = plumb::compare::compare({*first}, *brief, {});
  if (!compared.is_ok() || !said_nothing.is_ok()) return false;
  compared->baseline = "release";
  const nlohmann::json document = plumb::report::comparison_json(*compared);
  return write(directory / "comparison.comparison", plumb::json_text(document, 1)) &&
         write_comparison_of(directory, "comparison", document) &&
         write_comparison_of(directory, "comparison-brief",
                             plumb::report::comparison_json(*said_nothing)) &&
         write_comparison_of(directory, "comparison-forged",
                             plumb::testing::with_every_text(document, plumb::testing::kHostile)) &&
         write_comparison_of(directory, "comparison-empty", nlohmann::json());
}

// Forty runs of a plan that became slower with the 26th.
bool write_trend(const std::filesystem::path& directory) {
  std::vector<plumb::compare::HistoryRun> runs;
  for (int i = 0; i < 40; ++i) {
    const double wave = 1 + 0.01 * ((i * 7) % 11 - 5);
    plumb::compare::HistoryRun run;
    run.id = "202611" + std::to_string(10 + i / 3) + "T0" + std::to_string(i % 3) + "1500Z-7f" +
             std::to_string(10 + i);
    run.started_unix_ms = 1795171512345 + static_cast<int64_t>(i) * 28'800'000;
    run.valid = i != 12;
    run.verdict = i < 26 ? "Stable" : "Threat";
    if (i >= 26) run.cause = "db-commit-wal";
    run.p50_s = 0.0105 * wave;
    run.p95_s = (i < 26 ? 0.031 : 0.044) * wave;
    run.p99_s = (i < 26 ? 0.052 : 0.071) * (2 - wave);
    run.rate = 200 + i % 3;
    run.error_rate = i == 30 ? 0.002 : 0;
    runs.push_back(run);
  }
  const nlohmann::json trend = plumb::report::trend_json(plumb::compare::trend_of("shop", runs));
  const nlohmann::json forged = plumb::testing::with_every_text(trend, plumb::testing::kHostile);
  return write(directory / "trend.trend", plumb::json_text(trend, 1)) &&
         write(directory / "trend.html", plumb::report::trend_to_html(trend)) &&
         write(directory / "trend.csv", plumb::report::trend_to_csv(trend)) &&
         write(directory / "trend.txt", plumb::report::trend_to_console(trend, {})) &&
         write(directory / "trend-forged.html", plumb::report::trend_to_html(forged)) &&
         write(directory / "trend-empty.html", plumb::report::trend_to_html(nlohmann::json()));
}

// Two profiles compared; the base has other functions and is slower.
bool write_comparison(const std::filesystem::path& directory) {
  SampleOptions options;
  options.profiles = true;
  const plumb::store::RunData run = plumb::testing::sample_run(options);
  plumb::store::RunData base = plumb::testing::sample_run(options);
  base.header.id = "20261119T091500Z-1a2b";
  base.stacks = plumb::testing::sample_stacks_before(base);
  const auto difference = plumb::profile::compare_profiles(run, base, "on_cpu", false);
  if (!difference.is_ok()) return false;
  const nlohmann::json document = plumb::report::difference_json(*difference);
  const nlohmann::json forged = plumb::testing::with_every_text(document, plumb::testing::kHostile);
  return write(directory / "compared.html", plumb::report::difference_to_html(document)) &&
         write(directory / "compared.txt", plumb::report::difference_to_console(document, {})) &&
         write(directory / "compared-forged.html", plumb::report::difference_to_html(forged));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: report_samples DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  SampleOptions dark;
  dark.dark_after_s = 12.3;
  dark.analysis = true;
  SampleOptions short_run;
  short_run.warmup_s = short_run.cooldown_s = 0;
  short_run.steady_s = 3;
  SampleOptions observed;
  observed.load = false;
  SampleOptions killed;
  killed.killed_after_s = 9;
  SampleOptions hour;
  hour.steady_s = 3600;
  SampleOptions profiled;
  profiled.profiles = true;
  SampleOptions staged;
  staged.stages = true;
  SampleOptions hostile;
  hostile.profiles = true;
  hostile.suffix = plumb::testing::kHostile;
  hostile.analysis = true;
  bool done = write_sample(directory, "pool", plumb::testing::sample_run(dark));
  done = write_sample(directory, "plain", plumb::testing::sample_run()) && done;
  done = write_sample(directory, "short", plumb::testing::sample_run(short_run)) && done;
  done = write_sample(directory, "observed", plumb::testing::sample_run(observed)) && done;
  done = write_sample(directory, "killed", plumb::testing::sample_run(killed)) && done;
  done = write_sample(directory, "hour", plumb::testing::sample_run(hour)) && done;
  done = write_sample(directory, "profiled", plumb::testing::sample_run(profiled)) && done;
  done = write_sample(directory, "staged", plumb::testing::sample_run(staged)) && done;
  done = write_sample(directory, "changed", changed_run()) && done;
  hour.profiles = true;
  done = write_sample(directory, "profiled-hour", plumb::testing::sample_run(hour)) && done;
  done = write_comparison(directory) && done;
  done = write_run_comparison(directory) && done;
  done = write_trend(directory) && done;
  done = write_sample(directory, "hostile", plumb::testing::sample_run(hostile)) && done;
  done = write_sample(directory, "empty", plumb::store::RunData{}) && done;
  done = write_forged(directory) && done;
  return done ? 0 : 1;
}
