#include <memory>

#include "core/base/json_text.h"
#include "core/cli/command.h"
#include "core/cli/plan_problems.h"
#include "core/session/run_rules.h"
#include "core/signal/signal.h"

namespace plumb::cli {
namespace {

using nlohmann::json;
using session::ExitCode;

struct PluginFlags {
  std::string name;
  std::string format = "console";
};

ExitCode list(const PluginFlags& flags) {
  const engine::Catalog catalog = installed_catalog();
  if (flags.format == "json") {
    json out = json::array();
    for (const engine::CatalogEntry& entry : catalog.entries())
      out.push_back(json::parse(host::manifest_json(entry.manifest), nullptr, false));
    print(json_text(out, 2) + "\n");
  } else {
    std::vector<std::vector<std::string>> rows = {{"PLUGIN", "ROLE", "VERSION", "WHAT IT DOES"}};
    for (const engine::CatalogEntry& entry : catalog.entries())
      rows.push_back({entry.manifest.name, std::string(role_name(entry.manifest.role)),
                      entry.manifest.version, entry.manifest.summary});
    print(aligned(rows));
  }
  for (const engine::Refusal& refusal : catalog.refusals())
    say(refusal.path.string() + " was not taken: " + refusal.why.message());
  return ExitCode::kPassed;
}

std::string range_of(const host::OptionInfo& option) {
  std::string out;
  for (const std::string& word : option.one_of) out += (out.empty() ? "" : ", ") + word;
  if (option.minimum) out += "from " + *option.minimum;
  if (option.maximum) out += (option.minimum ? " to " : "up to ") + *option.maximum;
  return out;
}

std::string describe(const engine::CatalogEntry& entry) {
  const host::Manifest& plugin = entry.manifest;
  std::string out = plugin.name + " " + plugin.version + "  (" +
                    std::string(role_name(plugin.role)) + ")\n" + plugin.summary + "\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"OPTION", "TYPE", "DEFAULT", "ALLOWED", "MEANING"}};
  for (const host::OptionInfo& option : plugin.options)
    rows.push_back({option.key, std::string(host::option_type_name(option.type)),
                    option.required ? "required" : option.default_value.value_or("–"),
                    range_of(option), option.help + (option.secret ? " (secret)" : "")});
  out += plugin.options.empty() ? "It takes no options.\n" : aligned(rows);
  out += "\nLibrary  " + entry.library.string() + "\n";
  for (const engine::RuleFile& rule : entry.rules) out += "Rules    " + rule.path.string() + "\n";
  if (entry.signals) out += "Signals  " + entry.signals->path.string() + "\n";
  return out;
}

ExitCode info(const PluginFlags& flags) {
  const engine::Catalog catalog = installed_catalog();
  const auto entry = catalog.find(flags.name);
  if (!entry.is_ok()) {
    say(entry.status().message());
    return ExitCode::kUsage;
  }
  print(flags.format == "json" ? host::manifest_json(entry.value()->manifest)
                               : describe(*entry.value()));
  const session::RunRules rules = session::check_plugin_rules(*entry.value(), catalog);
  for (const std::string& warning : rules.warnings) say("warning: " + warning);
  for (const std::string& problem : rules.problems) say(problem);
  return rules.problems.empty() ? ExitCode::kPassed : ExitCode::kUsage;
}

}  // namespace

void add_plugin_command(CLI::App& app, Shared& shared) {
  CLI::App* command = add_command(app, "plugin", "Tell which plugins are installed",
                                  "  plumb plugin list\n  plumb plugin info pg_stats");
  command->require_subcommand(1);
  const auto flags = std::make_shared<PluginFlags>();
  CLI::App* all = add_command(*command, "list", "List the plugins that are installed",
                              "  plumb plugin list\n  plumb plugin list --format json");
  CLI::App* one = add_command(*command, "info", "Tell about one plugin and its options",
                              "  plumb plugin info pg_stats");
  one->add_option("NAME", flags->name, "The plugin's name")->required();
  for (CLI::App* each : {all, one})
    each->add_option("--format", flags->format, "What is written to stdout")
        ->check(CLI::IsMember({"console", "json"}));
  all->callback([flags, &shared] { shared.exit_code = list(*flags); });
  one->callback([flags, &shared] { shared.exit_code = info(*flags); });
}

}  // namespace plumb::cli
