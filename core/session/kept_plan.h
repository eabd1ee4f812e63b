// What a run file keeps of the plan it is judged by.
#ifndef PLUMB_CORE_SESSION_KEPT_PLAN_H_
#define PLUMB_CORE_SESSION_KEPT_PLAN_H_

#include <nlohmann/json.hpp>

#include "core/plan/plan.h"

namespace plumb::session {

// The resolved plan with its SLOs as single clauses, which is what is judged.
nlohmann::json kept_plan(const plan::Plan& plan);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_KEPT_PLAN_H_
