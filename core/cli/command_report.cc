#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/cli/command.h"
#include "core/cli/plan_problems.h"
#include "core/cli/profile_report.h"
#include "core/cli/report_format.h"
#include "core/report/report.h"
#include "core/session/run_directory.h"
#include "core/session/run_rules.h"
#include "core/session/session.h"
#include "core/store/run_file.h"

namespace plumb::cli {
namespace {

using nlohmann::json;
using session::ExitCode;

struct ReportFlags {
  std::string run;
  std::string run_dir = default_run_dir();
  std::string format = "console";
  std::string output;
  bool installed_rules = false;
  ProfileFlags profile;
};

ExitCode report_on_profiles(const ReportFlags& flags, const std::filesystem::path& file,
                            const Terminal& terminal) {
  Result<std::string> text = std::string();
  if (flags.profile.diff.empty()) {
    text = export_profile(file, flags.profile, flags.format);
  } else {
    const auto base = session::find_run(flags.run_dir, flags.profile.diff);
    if (!base.is_ok()) {
      say("--diff: " + base.status().message());
      return ExitCode::kUsage;
    }
    text = compare_profile(file, *base, flags.profile, flags.format, terminal);
  }
  if (!text.is_ok()) {
    say(text.status().message());
    const bool misnamed = text.status().code() == PLUMB_NOT_FOUND && !flags.profile.profile.empty();
    return misnamed ? ExitCode::kUsage : ExitCode::kFailed;
  }
  if (text->empty()) say("the profile has nothing in the time that is judged; --whole takes all");
  return write_value(flags.output, *text) ? ExitCode::kPassed : ExitCode::kFailed;
}

// False when the installed rules cannot be used, which is told.
bool renew(store::RunHeader& header) {
  const session::RunRules rules = session::renew_rules(header.rules, installed_catalog());
  for (const std::string& problem : rules.problems) say(problem);
  header.rules = rules.files;
  return rules.problems.empty();
}

ExitCode report(const ReportFlags& flags, const Terminal& terminal) {
  if (const Status status = check_profile_flags(flags.profile, flags.format); !status.is_ok()) {
    say(status.message());
    return ExitCode::kUsage;
  }
  const auto file = session::find_run(flags.run_dir, flags.run);
  if (!file.is_ok()) {
    say(file.status().message());
    return ExitCode::kUsage;
  }
  if (!has_place(flags.output)) return ExitCode::kUsage;
  const auto& exports = profile_formats();
  const bool exported = std::find(exports.begin(), exports.end(), flags.format) != exports.end();
  if (exported || !flags.profile.diff.empty()) return report_on_profiles(flags, *file, terminal);
  auto data = store::read_run(*file);
  if (data.is_ok() && flags.installed_rules && !renew(data->header)) return ExitCode::kFailed;
  const auto report = data.is_ok() ? report::build(*data) : Result<json>(data.status());
  if (!report.is_ok()) {
    say(report.status().message());
    return ExitCode::kFailed;
  }
  auto page = *file;
  page.replace_extension(".html");
  std::error_code error;
  const std::string html = std::filesystem::exists(page, error) ? page.string() : "";
  if (!write_value(flags.output, format_report(*report, flags.format, terminal, html)))
    return ExitCode::kFailed;
  return ExitCode::kPassed;
}

struct RunsFlags {
  std::string run_dir = default_run_dir();
  std::string format = "console";
};

std::string local_time(int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local)};
}

// How long was measured; nothing when the run never got there.
std::optional<double> measured_seconds(const store::RunData& run) {
  std::optional<double> out;
  for (const StageSpan& stage : run.stages)
    if (stage.kind == PLUMB_STAGE_STEADY || stage.kind == PLUMB_STAGE_SPIKE)
      out = out.value_or(0) + static_cast<double>(stage.end_ns - stage.start_ns) / 1e9;
  return out;
}

// A run that is under way writes its file every second.
bool is_abandoned(const std::filesystem::path& file) {
  constexpr auto kSilence = std::chrono::seconds(10);
  std::error_code error;
  auto last = std::filesystem::last_write_time(file, error);
  if (error) return false;
  for (const char* beside : {"-wal", "-journal"}) {
    const auto other = std::filesystem::last_write_time(file.string() + beside, error);
    if (!error) last = std::max(last, other);
  }
  return std::filesystem::file_time_type::clock::now() - last > kSilence;
}

json describe(const std::filesystem::path& file) {
  json out = {{"id", file.stem().string()}, {"file", file.string()}};
  const auto run = store::read_run_header(file);
  if (!run.is_ok()) {
    out["state"] = "unreadable";
    out["error"] = run.status().message();
    return out;
  }
  out["id"] = run->header.id;
  out["name"] = run->header.name;
  out["started_unix_ms"] = run->header.started_unix_ms;
  out["state"] = store::run_state_name(run->state);
  if (run->state == store::RunState::kRunning && is_abandoned(file)) out["state"] = "cut off";
  // Of a run that has not ended the stages stand as they were planned.
  const auto seconds =
      run->state == store::RunState::kRunning ? std::nullopt : measured_seconds(*run);
  out["measured_s"] = seconds ? json(*seconds) : json();
  const auto summary = run->documents.find(session::kSummaryDocument);
  if (summary != run->documents.end() && summary->second.is_object()) out.update(summary->second);
  return out;
}

std::string cell(const json& run, const char* key, std::string (*text)(double)) {
  return run.contains(key) && run[key].is_number() ? text(run[key].get<double>()) : "–";
}

std::string verdict_cell(const json& run) {
  const std::string state = run.value("state", "");
  const bool judged = run.contains("verdict") && run["verdict"].is_string();
  if (state == "finished" && judged) return run["verdict"].get<std::string>();
  return judged ? run["verdict"].get<std::string>() + " (" + state + ")" : state;
}

ExitCode list(const RunsFlags& flags) {
  json runs = json::array();
  for (const auto& file : session::list_runs(flags.run_dir)) runs.push_back(describe(file));
  if (flags.format == "json") {
    print(json_text(runs, 2) + "\n");
    return ExitCode::kPassed;
  }
  if (runs.empty()) {
    say("there are no runs in " + flags.run_dir);
    return ExitCode::kPassed;
  }
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "PLAN", "STARTED", "MEASURED", "REQUESTS", "ERRORS", "P95", "VERDICT"}};
  for (const json& run : runs)
    rows.push_back(
        {run.value("id", ""), run.value("name", "–"),
         run.contains("started_unix_ms") ? local_time(run["started_unix_ms"].get<int64_t>()) : "–",
         cell(run, "measured_s", &seconds_text),
         cell(run, "requests", [](double n) { return grouped(n); }),
         cell(run, "failed", [](double n) { return grouped(n); }),
         cell(run, "p95_s", &seconds_text), verdict_cell(run)});
  print(aligned(rows));
  return ExitCode::kPassed;
}

}  // namespace

void add_report_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<ReportFlags>();
  std::vector<std::string> formats = report_formats();
  formats.insert(formats.end(), profile_formats().begin(), profile_formats().end());
  CLI::App* command = add_command(app, "report", "Report on a run that is kept",
                                  "  plumb report last\n"
                                  "  plumb report 7f3a --format md\n"
                                  "  plumb report runs/20261120T104512Z-7f3a.plumb --format html "
                                  "-o report.html\n"
                                  "\nStack profiles, for other tools and against another run:\n"
                                  "  plumb report last --format folded | flamegraph.pl > cpu.svg\n"
                                  "  plumb report last --format folded --profile off_cpu\n"
                                  "  plumb report last --format speedscope -o profile.json\n"
                                  "  plumb report last --diff 7f3a\n"
                                  "  plumb report last --diff 7f3a --format html -o diff.html\n"
                                  "  plumb report last --diff 7f3a --format folded | "
                                  "flamegraph.pl > diff.svg");
  command->add_option("RUN", flags->run, "A run file, a run's id, the end of its id, or last")
      ->required();
  command->add_option("--run-dir", flags->run_dir, "Where runs are looked for")->type_name("DIR");
  command->add_option("--format", flags->format, "What is written to stdout or to -o")
      ->check(CLI::IsMember(formats));
  command->add_option("-o,--output", flags->output, "Write the report to this file")
      ->type_name("FILE");
  command->add_flag("--installed-rules", flags->installed_rules,
                    "Judge it by the rules of the plugins as they are installed now, not by those "
                    "that it was made with");
  command
      ->add_option("--profile", flags->profile.profile,
                   "The stack profile, such as on_cpu or off_cpu; on_cpu where there are several")
      ->type_name("NAME");
  command->add_flag("--whole", flags->profile.whole,
                    "Profiles of the whole run instead of the time that is judged");
  command
      ->add_option("--diff", flags->profile.diff,
                   "Compare the profile with that of this run, its base: console, json, html, "
                   "folded (difffolded: frames, base, run)")
      ->type_name("RUN");
  command->callback([flags, &shared] { shared.exit_code = report(*flags, shared.terminal()); });
}

void add_runs_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<RunsFlags>();
  CLI::App* command = add_command(app, "runs", "List the runs that are kept, newest first",
                                  "  plumb runs\n  plumb runs --format json");
  command->add_option("--run-dir", flags->run_dir, "Where runs are looked for")->type_name("DIR");
  command->add_option("--format", flags->format, "What is written to stdout")
      ->check(CLI::IsMember({"console", "json"}));
  command->callback([flags, &shared] { shared.exit_code = list(*flags); });
}

}  // namespace plumb::cli
