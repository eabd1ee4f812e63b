// What holds between the parts of a plan that make up scenarios: steps are requests, feeders have
// one source, credentials are whole and go only where they may.
#ifndef PLUMB_CORE_PLAN_SCENARIO_RULES_H_
#define PLUMB_CORE_PLAN_SCENARIO_RULES_H_

#include <functional>
#include <string>

#include "core/plan/check.h"
#include "core/plan/plan.h"
#include "core/plan/problems.h"

namespace plumb::plan {

struct ScenarioPermissions {
  // Whether requests may go to this host.
  std::function<bool(const std::string& host)> is_allowed;
  // Whether the file under this key may be looked at; says so itself when it may not.
  std::function<bool(const std::string& key)> may_read;
};

// `load` has its requests and its sections. A request that is a step and has no weight of its own
// gets weight 0; files of feeders become absolute, since plugins may run elsewhere.
void settle_scenarios(const Checked& checked, const ScenarioPermissions& permissions, Load& load,
                      Problems& problems);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_SCENARIO_RULES_H_
