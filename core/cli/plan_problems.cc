#include "core/cli/plan_problems.h"

#include <cstdio>

#include "core/session/catalog_options.h"
#include "core/session/run_rules.h"

namespace plumb::cli {

engine::Catalog installed_catalog() {
  return engine::Catalog::scan(engine::Catalog::default_directories());
}

plan::Outcome read_plan(const std::string& file, std::vector<plan::Override> overrides,
                        const engine::Catalog& catalog) {
  plan::Outcome outcome = plan::read_plan(file, {.overrides = std::move(overrides),
                                                 .environment = plan::process_environment(),
                                                 .plugins = session::plugin_options(catalog)});
  if (!outcome.ok()) return outcome;
  // A rule that could never match would be silent for ever.
  const session::RunRules rules = session::collect_rules(outcome.plan, catalog);
  for (const std::string& problem : rules.problems)
    outcome.problems.push_back({file, 0, 0, "", problem, ""});
  for (const std::string& warning : rules.warnings) outcome.warnings.push_back(warning);
  return outcome;
}

void tell(const plan::Outcome& outcome, const engine::Catalog& catalog) {
  for (const std::string& warning : outcome.warnings) say("warning: " + warning);
  if (outcome.ok()) return;
  std::fprintf(stderr, "%s\n", outcome.text().c_str());
  bool about_plugins = false;
  for (const plan::Problem& problem : outcome.problems)
    about_plugins = about_plugins || problem.message.find("plugin") != std::string::npos;
  if (!about_plugins) return;
  for (const engine::Refusal& refusal : catalog.refusals())
    say(refusal.path.string() + " was not taken: " + refusal.why.message());
  if (!catalog.entries().empty()) return;
  std::string places;
  for (const auto& directory : catalog.directories())
    places += (places.empty() ? "" : ", ") + directory.string();
  say("no plugin was found in " + places + "; PLUMB_PLUGIN_PATH names other directories");
}

}  // namespace plumb::cli
