// A plan that came in over HTTP: taken out of the request, checked, and held against what this
// daemon lets a plan do.
#ifndef PLUMB_CORE_SERVE_POSTED_PLAN_H_
#define PLUMB_CORE_SERVE_POSTED_PLAN_H_

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/plan/load_plan.h"
#include "core/serve/http_message.h"
#include "core/serve/problem.h"

namespace plumb::serve {

// What a plan that comes from elsewhere may do. A plan can name a command, a host and variables of
// the environment, so nothing of that is allowed by default.
struct PlanPolicy {
  bool allow_start = false;              // target.start
  std::vector<std::string> allow_hosts;  // targets besides loopback, as written in target.url
  // The most load that a plan may ask for; 0: no limit of its own.
  double most_rate = 0;  // requests per second
  int64_t most_users = 0;
  plan::Nanoseconds longest{0};  // warm-up and measurement together
  // The only variables that ${NAME} finds. The daemon's own PLUMB_* do not reach into posted plans.
  std::map<std::string, std::string> environment;
  std::vector<plan::PluginOptions> plugins;  // what is installed
};

struct PostedPlan {
  std::string text;                       // YAML
  std::vector<plan::Override> overrides;  // of "set"
};

// From a body of YAML, or of JSON: {"plan": "<yaml>" or an object, "set": {"load.rate": "50/s"}}.
std::variant<PostedPlan, Problem> read_posted_plan(const Request& request);

plan::Outcome check_posted_plan(const PostedPlan& posted, const PlanPolicy& policy);

// 422 with every problem of the plan and its place.
Problem invalid_plan(const plan::Outcome& outcome);
nlohmann::json problems_json(const plan::Outcome& outcome);

// 403 when the plan, itself in order, wants what the policy does not allow.
std::optional<Problem> check_policy(const plan::Plan& plan, const PlanPolicy& policy);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_POSTED_PLAN_H_
