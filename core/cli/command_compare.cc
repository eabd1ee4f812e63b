#include <chrono>
#include <filesystem>
#include <memory>

#include "core/cli/command.h"
#include "core/cli/comparing.h"
#include "core/compare/baseline.h"
#include "core/plan/quantity.h"
#include "core/session/base.h"
#include "core/session/run_directory.h"
#include "core/store/run_file.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct CompareFlags {
  std::vector<std::string> runs;
  std::vector<std::string> against;
  std::string baseline;
  std::string least;
  std::string least_time;
  bool force = false;
  std::string run_dir = default_run_dir();
  std::string format = "console";
  std::string output;
};

bool read_options(const CompareFlags& flags, compare::CompareOptions& out) {
  out.force = flags.force;
  if (!flags.least.empty()) {
    const auto share = plan::parse_ratio(flags.least);
    if (!share || *share < 0 || *share > 10) {
      say("--least takes a share such as 5%");
      return false;
    }
    out.least_relative = *share;
  }
  if (!flags.least_time.empty()) {
    const auto time = plan::parse_duration(flags.least_time);
    if (!time) {
      say("--least-time takes a time such as 0.5ms");
      return false;
    }
    out.least_seconds = std::chrono::duration<double>(*time).count();
  }
  return true;
}

// The runs named as base, or the baseline of the judged run's plan.
Result<session::Base> base_of(const CompareFlags& flags, const std::filesystem::path& judged) {
  std::vector<std::string> names(flags.runs.begin(), flags.runs.end() - 1);
  names.insert(names.end(), flags.against.begin(), flags.against.end());
  if (!names.empty() && !flags.baseline.empty())
    return Status::invalid_argument("--baseline and runs to compare with exclude each other");
  if (!names.empty()) {
    session::Base base;
    for (const std::string& name : names) {
      PLUMB_ASSIGN_OR_RETURN(auto file, session::find_run(flags.run_dir, name));
      base.files.push_back(std::move(file));
    }
    return base;
  }
  const auto run = store::read_run_header(judged);
  if (!run.is_ok()) return Status::unavailable(run.status().message());
  return session::find_baseline(
      flags.run_dir, run->header.name,
      flags.baseline.empty() ? std::string(compare::kDefaultBaseline) : flags.baseline);
}

bool is_misuse(const Status& status) {
  return status.code() == PLUMB_INVALID_ARGUMENT || status.code() == PLUMB_NOT_FOUND;
}

ExitCode refuse_comparison(const Status& status) {
  say(status.message());
  return is_misuse(status) ? ExitCode::kUsage : ExitCode::kFailed;
}

ExitCode compare_runs(const CompareFlags& flags, const Terminal& terminal) {
  compare::CompareOptions options;
  if (!has_place(flags.output) || !read_options(flags, options)) return ExitCode::kUsage;
  const auto judged = session::find_run(flags.run_dir, flags.runs.back());
  if (!judged.is_ok()) return refuse_comparison(judged.status());
  const auto base = base_of(flags, *judged);
  if (!base.is_ok()) return refuse_comparison(base.status());
  const auto comparison = session::compare_files(*base, *judged, options);
  if (!comparison.is_ok()) return refuse_comparison(comparison.status());
  if (!write_value(flags.output, format_comparison(*comparison, flags.format, terminal)))
    return ExitCode::kFailed;
  return session::exit_code_of_comparison(*comparison);
}

}  // namespace

void add_compare_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<CompareFlags>();
  CLI::App* command = add_command(
      app, "compare", "Hold a run against another, several, or a baseline",
      "  plumb compare 7f3a last               the last run against 7f3a\n"
      "  plumb compare 7f3a 81c2 91aa last     against three runs, which shows how runs differ\n"
      "  plumb compare last --against 7f3a --against 81c2\n"
      "  plumb compare last                    against the baseline of its plan\n"
      "  plumb compare last --baseline release --format md -o comment.md\n"
      "\nThe last of the runs is judged, those before it are the base. Exit codes: 0 no\n"
      "regression; 1 failed; 2 usage, or the runs measured different things; 4 a regression;\n"
      "5 not enough data.");
  command->add_option("RUN", flags->runs, "A run file, a run's id, the end of its id, or last")
      ->required();
  command->add_option("--against", flags->against, "A run of the base; may be repeated")
      ->type_name("RUN")
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--baseline", flags->baseline, "The base is this baseline of the run's plan")
      ->type_name("NAME");
  command->add_option("--least", flags->least, "Changes below this share are none (5%)")
      ->type_name("SHARE");
  command
      ->add_option("--least-time", flags->least_time,
                   "Changes of a response time below this are none (0.1ms)")
      ->type_name("TIME");
  command->add_flag("--force", flags->force, "Compare also runs that measured different things");
  command->add_option("--run-dir", flags->run_dir, "Where runs are looked for")->type_name("DIR");
  command->add_option("--format", flags->format, "What is written to stdout or to -o")
      ->check(CLI::IsMember(comparison_formats()));
  command->add_option("-o,--output", flags->output, "Write the comparison to this file")
      ->type_name("FILE");
  command->callback(
      [flags, &shared] { shared.exit_code = compare_runs(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
