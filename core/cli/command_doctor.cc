#include <memory>

#include "core/base/json_text.h"
#include "core/cli/command.h"
#include "core/cli/doctor.h"
#include "core/cli/plan_problems.h"

namespace plumb::cli {
namespace {

using nlohmann::json;
using session::ExitCode;

const char* name_of(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "ok";
    case CheckState::kMissing:
      return "missing";
    case CheckState::kBroken:
      return "broken";
  }
  return "";
}

ExitCode doctor(const std::string& format, const Terminal& terminal) {
  std::vector<Check> checks = check_kernel("/");
  for (Check& check : check_installation(installed_catalog(), default_run_dir()))
    checks.push_back(std::move(check));
  ExitCode code = ExitCode::kPassed;
  json out = json::array();
  std::string text;
  for (const Check& check : checks) {
    if (check.state == CheckState::kBroken) code = ExitCode::kFailed;
    out.push_back({{"name", check.name},
                   {"state", name_of(check.state)},
                   {"found", check.found},
                   {"fix", check.fix}});
    std::string state = name_of(check.state);
    state.append(9 - state.size(), ' ');
    if (terminal.color_out)
      state = (check.state == CheckState::kOk        ? "\033[32m"
               : check.state == CheckState::kMissing ? "\033[33m"
                                                     : "\033[31m") +
              state + "\033[0m";
    text += state + check.name + ": " + check.found + "\n";
    if (!check.fix.empty()) text += "         " + check.fix + "\n";
  }
  print(format == "json" ? json_text(out, 2) + "\n" : text);
  return code;
}

}  // namespace

void add_doctor_command(CLI::App& app, Shared& shared) {
  const auto format = std::make_shared<std::string>("console");
  CLI::App* command =
      add_command(app, "doctor", "Tell what this machine lets plumb see, and how to mend it",
                  "  plumb doctor\n  plumb doctor --format json\n"
                  "\nExit code 1 when plumb cannot run here at all.");
  command->add_option("--format", *format, "What is written to stdout")
      ->check(CLI::IsMember({"console", "json"}));
  command->callback([format, &shared] { shared.exit_code = doctor(*format, shared.terminal()); });
}

}  // namespace plumb::cli
