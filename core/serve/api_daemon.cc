// The routes that are about the daemon itself, and about plans before they run.
#include "core/serve/api.h"
#include "core/serve/openapi.h"

namespace plumb::serve {

using nlohmann::json;

Response Api::health(const Call&) {
  const bool stopping = stopping_;
  return json_response(stopping ? 503 : 200,
                       {{"status", stopping ? "stopping" : "ok"}, {"version", options_.version}});
}

Response Api::metrics(const Call&) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_.text();
  return response;
}

Response Api::openapi(const Call&) {
  Response response;
  response.content_type = "application/json";
  response.body = std::string(openapi_document());
  return response;
}

Response Api::list_plugins(const Call&) { return json_response(200, options_.plugins); }

Response Api::validate_plan(const Call& call) {
  const auto posted = read_posted_plan(call.request);
  if (const auto* problem = std::get_if<Problem>(&posted)) return to_response(*problem);
  const plan::Outcome outcome = check_posted_plan(std::get<PostedPlan>(posted), options_.policy);
  json body = {
      {"valid", outcome.ok()}, {"errors", problems_json(outcome)}, {"warnings", outcome.warnings}};
  if (!outcome.ok()) return json_response(200, body);
  const auto refusal = check_policy(outcome.plan, options_.policy);
  body["allowed"] = !refusal.has_value();
  if (refusal) body["refusal"] = refusal->detail;
  body["plan"] = outcome.plan.resolved;
  json origins = json::object();
  for (const auto& [key, origin] : outcome.plan.origins) origins[key] = origin.source;
  body["origins"] = std::move(origins);
  return json_response(200, body);
}

}  // namespace plumb::serve
