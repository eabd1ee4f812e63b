// What every command that reads a plan does first.
#ifndef PLUMB_CORE_CLI_PLAN_PROBLEMS_H_
#define PLUMB_CORE_CLI_PLAN_PROBLEMS_H_

#include <string>

#include "core/cli/command.h"
#include "core/engine/catalog.h"
#include "core/plan/load_plan.h"

namespace plumb::cli {

engine::Catalog installed_catalog();

// Reads and checks the plan against what is installed.
plan::Outcome read_plan(const std::string& file, std::vector<plan::Override> overrides,
                        const engine::Catalog& catalog);

// Tells warnings and problems on stderr, and why plugins that are there were not taken.
void tell(const plan::Outcome& outcome, const engine::Catalog& catalog);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_PLAN_PROBLEMS_H_
