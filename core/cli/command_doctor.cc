#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/base/json_text.h"
#include "core/cli/command.h"
#include "core/cli/doctor.h"
#include "core/cli/interrupt.h"
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

// Long enough for each sampler to have sampled, and for those that look once a second.
constexpr std::chrono::seconds kWatch(2);

struct DoctorFlags {
  std::string plan;
  PlanFlags values;
  std::string format = "console";
};

void append(std::vector<Check>& checks, std::vector<Check> more) {
  for (Check& check : more) checks.push_back(std::move(check));
}

// Tries the plan's plugins; nothing when the plan is wrong or the trial could not be made, which is
// said.
std::optional<std::vector<Check>> try_plan(const DoctorFlags& flags, const engine::Catalog& catalog,
                                           ExitCode& code) {
  std::vector<plan::Override> overrides;
  code = ExitCode::kUsage;
  if (!to_overrides(flags.values, overrides)) return std::nullopt;
  const plan::Outcome outcome = read_plan(flags.plan, std::move(overrides), catalog);
  tell(outcome, catalog);
  if (!outcome.ok()) return std::nullopt;
  say("trying the plan's plugins for " + std::to_string(kWatch.count()) + " s");
  const Interrupt interrupt([] { say("ending"); });
  engine::EngineOptions options;
  // For the last words of a target that does not come up.
  std::string directory = (std::filesystem::temp_directory_path() / "plumb-doctor-XXXXXX").string();
  if (::mkdtemp(directory.data()) != nullptr)
    options.target_log = std::filesystem::path(directory) / "target.log";
  const auto examination =
      engine::examine(outcome.plan, catalog, options, kWatch, interrupt.token());
  std::error_code ignored;
  if (!options.target_log.empty()) std::filesystem::remove_all(directory, ignored);
  code = ExitCode::kFailed;
  if (!examination.is_ok()) {
    say(examination.status().message());
    return std::nullopt;
  }
  return check_plan(*examination);
}

ExitCode doctor(const DoctorFlags& flags, const Terminal& terminal) {
  const engine::Catalog catalog = installed_catalog();
  std::vector<Check> checks = check_kernel("/");
  append(checks, check_installation(catalog, default_run_dir()));
  if (!flags.plan.empty()) {
    ExitCode failure{};
    auto tried = try_plan(flags, catalog, failure);
    if (!tried) return failure;
    append(checks, std::move(*tried));
  }
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
  print(flags.format == "json" ? json_text(out, 2) + "\n" : text);
  return code;
}

}  // namespace

void add_doctor_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<DoctorFlags>();
  CLI::App* command = add_command(
      app, "doctor", "Tell what this machine lets plumb see, and how to mend it",
      "  plumb doctor                 this machine\n"
      "  plumb doctor plan.yaml       and what the plan's plugins can see of its target\n"
      "  plumb doctor --format json\n"
      "\nWith a plan, its plugins are tried for two seconds, without any load; a target\n"
      "that the plan starts is started and stopped. Exit code 1 when something is broken.");
  command->add_option("PLAN", flags->plan, "Try this plan's plugins too")->type_name("FILE");
  command->add_option("--format", flags->format, "What is written to stdout")
      ->check(CLI::IsMember({"console", "json"}));
  add_set_flag(*command, flags->values);
  command->callback([flags, &shared] { shared.exit_code = doctor(*flags, shared.terminal()); });
}

}  // namespace plumb::cli
