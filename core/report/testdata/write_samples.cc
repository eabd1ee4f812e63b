// Writes the sample runs' reports into a directory, for tests in a browser and against the schema:
// report_samples DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/profile/difference.h"
#include "core/report/difference.h"
#include "core/report/report.h"
#include "core/report/testdata/hostile_text.h"
#include "core/report/testdata/sample_run.h"
#include "core/report/testdata/sample_stacks.h"

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
  hour.profiles = true;
  done = write_sample(directory, "profiled-hour", plumb::testing::sample_run(hour)) && done;
  done = write_comparison(directory) && done;
  done = write_sample(directory, "hostile", plumb::testing::sample_run(hostile)) && done;
  done = write_sample(directory, "empty", plumb::store::RunData{}) && done;
  done = write_forged(directory) && done;
  return done ? 0 : 1;
}
