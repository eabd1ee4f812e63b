#include "core/serve/posted_plan.h"

#include <algorithm>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/plan/target_url.h"
#include "core/serve/named_hosts.h"
#include "core/serve/request_guard.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

constexpr int kDeepest = 64;

Problem bad_body(std::string detail) {
  return {400, "bad-body", "The request's body is not what is taken here", std::move(detail)};
}

// nullopt when the text is no JSON, or nested so deeply that going through it would be a risk.
std::optional<json> parse_json(const std::string& text) {
  bool too_deep = false;
  const auto watch = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  json value = json::parse(text, watch, false);
  if (too_deep || value.is_discarded()) return std::nullopt;
  return value;
}

// A value of "set" as it would be typed after --set.
std::optional<std::string> override_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return std::nullopt;
  return json_text(value);
}

std::variant<PostedPlan, Problem> read_json(const std::string& body) {
  const auto parsed = parse_json(body);
  if (!parsed || !parsed->is_object()) {
    return bad_body("The body is no JSON object; send {\"plan\": \"<yaml>\"}.");
  }
  PostedPlan posted;
  for (const auto& [key, value] : parsed->items()) {
    if (key == "plan" && value.is_string()) {
      posted.text = value.get<std::string>();
    } else if (key == "plan" && value.is_object()) {
      posted.text = json_text(value, 2);
    } else if (key == "set" && value.is_object()) {
      for (const auto& [name, wanted] : value.items()) {
        const auto text = override_text(wanted);
        if (!text) return bad_body("\"set\" has no value for " + name + ".");
        posted.overrides.push_back({name, *text, "set"});
      }
    } else {
      return bad_body("'" + key +
                      "' is not taken, or not as this type; there are \"plan\" (YAML "
                      "as a string, or an object) and \"set\" (an object of keys and values).");
    }
  }
  if (posted.text.empty()) return bad_body("The body has no \"plan\".");
  return posted;
}

// How many requests one iteration makes at most: the steps of a scenario, and what they redirect
// to.
double most_requests(const plan::Load& load) {
  size_t steps = 1;
  int64_t redirects = 0;
  if (const auto scenarios = load.extra.find("scenarios"); scenarios != load.extra.end())
    for (const auto& scenario : *scenarios)
      steps = std::max(steps, scenario.value("steps", nlohmann::json::array()).size());
  for (const plan::Request& request : load.requests)
    redirects = std::max(redirects, request.extra.value("redirects", int64_t{0}));
  return static_cast<double>(steps) * static_cast<double>(1 + redirects);
}

// 403 when the plan asks for more load than it may.
std::optional<Problem> check_load(const plan::Load& load, const PlanPolicy& policy) {
  double rate = load.rate;
  double users = load.users;
  for (const plan::LoadStage& stage : load.stages)
    for (const double level : {stage.from, stage.to})
      (stage.model == plan::LoadModel::kOpen ? rate : users) =
          std::max(stage.model == plan::LoadModel::kOpen ? rate : users, level);
  rate *= most_requests(load);
  const auto refuse = [](const std::string& what, const std::string& flag) {
    return Problem{403, "load-not-allowed", "The plan asks for more load than is allowed",
                   what + ". Ask for less, or start plumbd with a higher " + flag + "."};
  };
  if (policy.most_rate > 0 && rate > policy.most_rate)
    return refuse("The plan asks for " + grouped(rate) + " requests a second; this daemon makes " +
                      grouped(policy.most_rate) + " at most",
                  "--max-rate");
  if (policy.most_users > 0 && users > static_cast<double>(policy.most_users))
    return refuse("The plan asks for " + grouped(users) + " users; this daemon has " +
                      grouped(static_cast<double>(policy.most_users)) + " at most",
                  "--max-users");
  const auto seconds = [](plan::Nanoseconds t) { return std::chrono::duration<double>(t).count(); };
  const plan::Nanoseconds length = load.warmup + load.duration;
  if (policy.longest.count() > 0 && length > policy.longest)
    return refuse("The plan's load lasts " + seconds_text(seconds(length)) +
                      "; this daemon's lasts " + seconds_text(seconds(policy.longest)) + " at most",
                  "--max-duration");
  return std::nullopt;
}

}  // namespace

std::variant<PostedPlan, Problem> read_posted_plan(const Request& request) {
  if (!is_yaml(media_type(request.head))) return read_json(request.body);
  if (request.body.empty()) return bad_body("The body is empty; it should be the plan.");
  return PostedPlan{request.body, {}};
}

plan::Outcome check_posted_plan(const PostedPlan& posted, const PlanPolicy& policy) {
  plan::Inputs inputs;
  inputs.overrides = posted.overrides;
  inputs.environment = policy.environment;
  inputs.plugins = policy.plugins;
  inputs.may_name_files = false;
  plan::Outcome outcome = plan::parse_plan(posted.text, "plan", inputs);
  // Whoever posts the plan cannot export a variable into this process.
  for (plan::Problem& problem : outcome.problems) {
    if (problem.message.find("environment variable") == std::string::npos) continue;
    problem.hint = "a posted plan sees only the variables that plumbd was started with --env for";
  }
  return outcome;
}

json problems_json(const plan::Outcome& outcome) {
  json out = json::array();
  for (const plan::Problem& problem : outcome.problems) {
    json one = {{"source", problem.source}, {"key", problem.key}, {"message", problem.message}};
    if (problem.line > 0) one["line"] = problem.line;
    if (problem.column > 0) one["column"] = problem.column;
    if (!problem.hint.empty()) one["hint"] = problem.hint;
    out.push_back(std::move(one));
  }
  return out;
}

Problem invalid_plan(const plan::Outcome& outcome) {
  const size_t count = outcome.problems.size();
  Problem problem{422, "plan-invalid", "The plan is not valid",
                  "The plan has " + std::to_string(count) + (count == 1 ? " error" : " errors") +
                      ", see \"errors\"; the first: " + outcome.problems.front().text()};
  problem.extra["errors"] = problems_json(outcome);
  problem.extra["warnings"] = outcome.warnings;
  return problem;
}

std::optional<Problem> check_policy(const plan::Plan& plan, const PlanPolicy& policy) {
  if (!plan.target.start.empty() && !policy.allow_start) {
    return Problem{403, "start-not-allowed", "The plan names a command",
                   "target.start would make this daemon run '" + plan.target.start.front() +
                       "'. Start the target yourself and leave the key out, or start plumbd with "
                       "--allow-start."};
  }
  const auto is_listed = [&policy](const std::string& host) {
    return plan::is_loopback(host) ||
           std::find(policy.allow_hosts.begin(), policy.allow_hosts.end(), host) !=
               policy.allow_hosts.end();
  };
  if (!is_listed(plan.target.host)) {
    return Problem{403, "host-not-allowed", "The plan loads another machine",
                   "target.url names " + plan.target.host +
                       ". This daemon loads this machine only; start plumbd with --allow-host " +
                       plan.target.host + " if that host may be loaded."};
  }
  const std::string& token_host = plan.load.token_host;
  if (!token_host.empty() && !is_listed(token_host)) {
    return Problem{403, "host-not-allowed", "The plan gets its tokens from another machine",
                   "load.auth.token_url names " + token_host + ". Start plumbd with --allow-host " +
                       token_host + " if posted plans may send requests there."};
  }
  for (const plan::PluginUse& use : plan.plugins)
    for (const std::string& host : named_hosts(use.options))
      if (!is_listed(host))
        return Problem{403, "host-not-allowed", "The plan makes a plugin talk to another machine",
                       "plugins." + use.name + " names " + host +
                           ". Start plumbd with --allow-host " + host +
                           " if posted plans may reach that host."};
  return check_load(plan.load, policy);
}

}  // namespace plumb::serve
