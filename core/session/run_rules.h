// The rules that a run will be judged by: those of its plugins, and those that the plan names.
#ifndef PLUMB_CORE_SESSION_RUN_RULES_H_
#define PLUMB_CORE_SESSION_RUN_RULES_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/engine/catalog.h"
#include "core/plan/plan.h"

namespace plumb::session {

struct RunRules {
  nlohmann::json files = nlohmann::json::array();  // as RunHeader::rules keeps them
  std::vector<std::string> problems;               // rules that could never match, files unreadable
  std::vector<std::string> warnings;               // what could not be checked
};

// Reads and checks them against the series that the installed plugins list. Rules of a plugin that
// lists none are taken unchecked, with a warning.
RunRules collect_rules(const plan::Plan& plan, const engine::Catalog& catalog);

// The rules that a run file keeps, those of plugins replaced by what these are installed with now.
// Files of the plan, and of plugins that are not installed, stay as they were.
RunRules renew_rules(const nlohmann::json& kept, const engine::Catalog& catalog);

// The same of one plugin's own rules.
RunRules check_plugin_rules(const engine::CatalogEntry& entry, const engine::Catalog& catalog);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_RUN_RULES_H_
