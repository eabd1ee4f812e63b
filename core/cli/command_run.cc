#include <memory>

#include "core/cli/command.h"
#include "core/cli/comparing.h"
#include "core/cli/interrupt.h"
#include "core/cli/plan_problems.h"
#include "core/cli/progress.h"
#include "core/cli/report_format.h"
#include "core/plan/options.h"
#include "core/session/live.h"
#include "core/session/session.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct RunFlags {
  std::string plan;
  PlanFlags values;
  std::string baseline;
  std::string format = "console";
  std::string output;
  bool no_html = false;
  bool quiet = false;
};

Result<session::RunSummary> run_with_progress(const plan::Plan& plan,
                                              const engine::Catalog& catalog, const RunFlags& flags,
                                              const Terminal& terminal) {
  session::Live live(session::planned_seconds(plan));
  std::unique_ptr<Progress> progress;
  if (!flags.quiet) progress = std::make_unique<Progress>(live, terminal);
  const auto tell = [&](std::string_view sentence) {
    if (progress)
      progress->say(sentence);
    else
      say(sentence);
  };
  const Interrupt interrupt([&] { tell("ending the run; press Ctrl-C again to leave at once"); });
  session::SessionOptions options;
  options.html = !flags.no_html;
  options.sinks = {&live};
  options.observer = &live;
  options.log = [&](uint32_t level, const std::string& message) {
    if (level >= PLUMB_WARNING) tell(message);
  };
  return session::run(plan, catalog, options, interrupt.token());
}

// What a profile stands for, as far as the plan left it to the profile.
void tell_profile(const plan::Plan& plan) {
  const std::string name = plan.resolved["load"].value("profile", "");
  for (const plan::Profile& profile : plan::load_profiles()) {
    if (profile.name != name) continue;
    std::string words;
    for (const auto& [key, value] : profile.values) {
      const auto origin = plan.origins.find("load." + key);
      if (origin == plan.origins.end() || origin->second.source != "profile " + name) continue;
      words += (words.empty() ? "" : ", ") + key + ": " + value;
    }
    say("profile " + name + " is " + words);
  }
}

void tell_comparison(const session::RunSummary& summary, const std::string& baseline,
                     const RunFlags& flags, const Terminal& terminal) {
  if (flags.format == "console" && flags.output.empty())
    print("\n" + format_comparison(summary.comparison, "console", terminal));
  else
    say("baseline " + baseline + ": " +
        summary.comparison["verdict"]["conclusion"].get<std::string>());
  if (!summary.comparison_file.empty()) say("comparison " + summary.comparison_file.string());
}

ExitCode run(const RunFlags& flags, const Terminal& terminal) {
  if (!has_place(flags.output, flags.plan)) return ExitCode::kUsage;
  std::vector<plan::Override> overrides;
  if (!to_overrides(flags.values, overrides)) return ExitCode::kUsage;
  if (!flags.baseline.empty()) overrides.push_back({"baseline", flags.baseline, "--baseline"});
  const engine::Catalog catalog = installed_catalog();
  const plan::Outcome outcome = read_plan(flags.plan, std::move(overrides), catalog);
  tell(outcome, catalog);
  if (!outcome.ok()) return ExitCode::kUsage;
  if (!flags.quiet) tell_profile(outcome.plan);
  const auto summary = run_with_progress(outcome.plan, catalog, flags, terminal);
  if (!summary.is_ok()) {
    say(summary.status().message());
    // A plugin says so of an option that its table could not tell to be wrong.
    return summary.status().code() == PLUMB_INVALID_ARGUMENT ? ExitCode::kUsage : ExitCode::kFailed;
  }
  for (const std::string& warning : summary->warnings) say(warning);
  const std::string html = summary->html_file.string();
  if (!write_value(flags.output, format_report(summary->report, flags.format, terminal, html)))
    return ExitCode::kFailed;
  if (flags.format != "console" || !flags.output.empty())
    say("run " + summary->id + (html.empty() ? "" : ", report " + html));
  if (!summary->comparison.is_null())
    tell_comparison(*summary, outcome.plan.baseline, flags, terminal);
  return summary->exit_code;
}

}  // namespace

void add_run_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<RunFlags>();
  CLI::App* command = add_command(
      app, "run", "Run a plan and tell what limits the service",
      "  plumb run plan.yaml\n"
      "  plumb run plan.yaml --profile smoke\n"
      "  plumb run plan.yaml --rate 500/s --duration 1m --set target.health=/ready\n"
      "  plumb run plan.yaml --format json -o report.json\n"
      "  plumb run plan.yaml --baseline default\n"
      "\nExit codes: 0 passed; 1 failed to run; 2 usage or plan invalid; 3 an SLO is breached;\n"
      "4 a regression; 5 the run is not valid as a measurement, or was interrupted.");
  command->add_option("PLAN", flags->plan, "The plan's file")->required()->type_name("FILE");
  add_plan_flags(*command, flags->values);
  command->add_option("--run-dir", flags->values.run_dir, "Where run files and reports are kept")
      ->type_name("DIR");
  command
      ->add_option("--baseline", flags->baseline,
                   "Compare the run with this baseline; a regression is exit code 4")
      ->type_name("NAME");
  command->add_option("--format", flags->format, "What is written to stdout or to -o")
      ->check(CLI::IsMember(report_formats()));
  command->add_option("-o,--output", flags->output, "Write the report to this file")
      ->type_name("FILE");
  command->add_flag("--no-html", flags->no_html, "Write no HTML report beside the run file");
  command->add_flag("-q,--quiet", flags->quiet, "Show no progress");
  command->callback([flags, &shared] { shared.exit_code = run(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
