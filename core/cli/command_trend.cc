#include <algorithm>
#include <memory>

#include "core/base/json_text.h"
#include "core/base/nearest.h"
#include "core/cli/command.h"
#include "core/compare/trend.h"
#include "core/report/trend.h"
#include "core/session/history.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct TrendFlags {
  std::string plan;
  size_t last = 30;
  std::string run_dir = default_run_dir();
  std::string format = "console";
  std::string output;
};

ExitCode show_trend(const TrendFlags& flags, const Terminal& terminal) {
  if (!has_place(flags.output)) return ExitCode::kUsage;
  const std::vector<std::string> plans = session::plans_in(flags.run_dir);
  if (plans.empty()) {
    say("there are no runs in " + flags.run_dir + "; another directory is named with --run-dir");
    return ExitCode::kUsage;
  }
  const std::string plan = flags.plan.empty() ? plans.front() : flags.plan;
  if (std::find(plans.begin(), plans.end(), plan) == plans.end()) {
    say("there is no run of plan " + plan + " in " + flags.run_dir + "." +
        did_you_mean(plan, plans));
    return ExitCode::kUsage;
  }
  const nlohmann::json trend =
      report::trend_json(compare::trend_of(plan, session::history(flags.run_dir, plan)));
  std::string text;
  if (flags.format == "json") {
    text = json_text(trend, 2) + "\n";
  } else if (flags.format == "csv") {
    text = report::trend_to_csv(trend);
  } else if (flags.format == "html") {
    text = report::trend_to_html(trend);
  } else {
    report::ConsoleOptions options;
    options.color = terminal.color_out;
    options.width = terminal.width;
    text = report::trend_to_console(trend, options, flags.last);
  }
  return write_value(flags.output, text) ? ExitCode::kPassed : ExitCode::kFailed;
}

}  // namespace

void add_trend_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<TrendFlags>();
  CLI::App* command =
      add_command(app, "trend", "All runs of a plan, and where the service changed",
                  "  plumb trend                          of the plan of the last run\n"
                  "  plumb trend shop --format html -o trend.html\n"
                  "  plumb trend shop --format csv");
  command->add_option("PLAN", flags->plan, "The plan's name; that of the last run unless given");
  command->add_option("--last", flags->last, "How many runs the console shows (30); 0: all")
      ->check(CLI::Range(0, 100'000))
      ->type_name("N");
  command->add_option("--run-dir", flags->run_dir, "Where runs are looked for")->type_name("DIR");
  command->add_option("--format", flags->format, "What is written to stdout or to -o")
      ->check(CLI::IsMember({"console", "json", "csv", "html"}));
  command->add_option("-o,--output", flags->output, "Write the trend to this file")
      ->type_name("FILE");
  command->callback([flags, &shared] { shared.exit_code = show_trend(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
