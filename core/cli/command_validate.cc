#include <algorithm>
#include <memory>

#include "core/base/json_text.h"
#include "core/cli/command.h"
#include "core/cli/plan_problems.h"
#include "core/engine/examine.h"
#include "core/plan/options.h"
#include "core/plan/quantity.h"

namespace plumb::cli {
namespace {

using nlohmann::json;
using session::ExitCode;

struct ValidateFlags {
  std::string plan;
  PlanFlags values;
  bool print = false;
  std::string format = "console";
};

// The value of a dotted key as the resolved plan shows it; null when it stands nowhere.
json value_at(const json& resolved, const std::string& key) {
  std::string pointer = "/" + key;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  const json::json_pointer at(pointer);
  return resolved.contains(at) ? resolved[at] : json();
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return plan::format_number(value.get<double>());
  return value.dump();
}

bool is_list_of_sections(const json& value) {
  return value.is_array() && !value.empty() && value[0].is_object();
}

// The limits of an SLO's preset that it has none of its own for.
void add_preset(const std::string& key, const std::string& chosen, const plan::Outcome& outcome,
                std::vector<std::vector<std::string>>& rows) {
  const std::string slo = key.substr(0, key.rfind('.') + 1);
  for (const plan::SloPreset& preset : plan::slo_presets())
    for (const auto& [metric, limit] : preset.limits)
      if (preset.name == chosen &&
          std::find(outcome.keys.begin(), outcome.keys.end(), slo + metric) == outcome.keys.end())
        rows.push_back({slo + metric, limit, "preset " + chosen});
}

std::string resolved_table(const plan::Outcome& outcome) {
  std::vector<std::vector<std::string>> rows = {{"KEY", "VALUE", "FROM"}};
  for (const std::string& key : outcome.keys) {
    const json value = value_at(outcome.plan.resolved, key);
    if (is_list_of_sections(value)) continue;
    const auto origin = outcome.plan.origins.find(key);
    rows.push_back(
        {key, text_of(value), origin == outcome.plan.origins.end() ? "" : origin->second.source});
    if (key.starts_with("slos.") && key.ends_with(".preset"))
      add_preset(key, text_of(value), outcome, rows);
  }
  // A plugin without options has no key of its own.
  const auto plugins = outcome.plan.resolved.find("plugins");
  if (plugins != outcome.plan.resolved.end())
    for (const auto& [name, options] : plugins->items())
      if (options.empty()) rows.push_back({"plugins." + name, "{}", "plan"});
  return aligned(rows);
}

json as_json(const plan::Outcome& outcome) {
  json out = {{"valid", outcome.ok()}, {"problems", json::array()}};
  out["warnings"] = outcome.warnings;
  for (const plan::Problem& problem : outcome.problems) {
    json one = {{"source", problem.source}, {"message", problem.message}};
    if (problem.line > 0) {
      one["line"] = problem.line;
      one["column"] = problem.column;
    }
    if (!problem.key.empty()) one["key"] = problem.key;
    if (!problem.hint.empty()) one["hint"] = problem.hint;
    out["problems"].push_back(std::move(one));
  }
  if (!outcome.ok()) return out;
  out["plan"] = outcome.plan.resolved;
  out["origins"] = json::object();
  for (const auto& [key, origin] : outcome.plan.origins) out["origins"][key] = origin.source;
  return out;
}

// Templates and patterns, addresses and files are each plugin's own matter.
void ask_plugins(const std::string& file, const engine::Catalog& catalog, plan::Outcome& outcome) {
  const auto asked = engine::check_plugins(outcome.plan, catalog, {});
  if (!asked.is_ok()) return outcome.warnings.push_back(asked.status().message());
  for (const engine::Examined& plugin : *asked) {
    if (plugin.status.code() == PLUMB_INVALID_ARGUMENT)
      outcome.problems.push_back({file, 0, 0, "", plugin.status.message(), ""});
    else if (!plugin.status.is_ok())
      outcome.warnings.push_back(plugin.status.message());
  }
}

ExitCode validate(const ValidateFlags& flags) {
  std::vector<plan::Override> overrides;
  if (!to_overrides(flags.values, overrides)) return ExitCode::kUsage;
  const engine::Catalog catalog = installed_catalog();
  plan::Outcome outcome = read_plan(flags.plan, std::move(overrides), catalog);
  if (outcome.ok()) ask_plugins(flags.plan, catalog, outcome);
  const ExitCode code = outcome.ok() ? ExitCode::kPassed : ExitCode::kUsage;
  if (flags.format == "json") {
    print(json_text(as_json(outcome), 2) + "\n");
    return code;
  }
  tell(outcome, catalog);
  if (!outcome.ok()) return code;
  if (flags.print)
    print(resolved_table(outcome));
  else
    say(flags.plan + " is valid");
  return code;
}

}  // namespace

void add_validate_command(CLI::App& app, Shared& shared) {
  const auto flags = std::make_shared<ValidateFlags>();
  CLI::App* command = add_command(
      app, "validate", "Check a plan without running it",
      "  plumb validate plan.yaml\n"
      "  plumb validate plan.yaml --print            every value, and where it came from\n"
      "  plumb validate plan.yaml --profile heavy --print");
  command->add_option("PLAN", flags->plan, "The plan's file")->required()->type_name("FILE");
  command->add_flag("--print", flags->print, "Print the resolved plan");
  command->add_option("--format", flags->format, "json: problems and plan as JSON on stdout")
      ->check(CLI::IsMember({"console", "json"}));
  add_plan_flags(*command, flags->values);
  command->callback([flags, &shared] { shared.exit_code = validate(*flags); });
}

}  // namespace plumb::cli
