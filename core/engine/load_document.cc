#include "core/engine/load_document.h"

#include <plumb/abi/plugin.h>

#include <utility>

#include "core/base/json_text.h"
#include "core/host/json_fields.h"

namespace plumb::engine {
namespace {

using nlohmann::json;

json request_json(const plan::Request& request) {
  json headers = json::array();
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  json out = {{"name", request.name},     {"method", request.method},      {"path", request.path},
              {"weight", request.weight}, {"headers", std::move(headers)}, {"body", request.body},
              {"expect", request.expect}};
  out.update(request.extra);
  return out;
}

// Only where the plan has stages of its own; in step with the spans that drive() gets.
json stages_json(const plan::Load& load) {
  json out = json::array();
  for (const plan::LoadStage& stage : load.stages)
    out.push_back({{"model", stage.model == plan::LoadModel::kOpen ? "open" : "closed"},
                   {"from", stage.from},
                   {"to", stage.to}});
  return out;
}

json process_json(const plan::Target& target) {
  const plan::ProcessSelector& process = target.process;
  json out = json::object();
  if (process.port) out["port"] = *process.port;
  if (process.pid) out["pid"] = *process.pid;
  if (!process.name.empty()) out["name"] = process.name;
  if (!process.cgroup.empty()) out["cgroup"] = process.cgroup;
  if (process.empty() && !target.start.empty()) out["port"] = target.port;
  return out;
}

}  // namespace

json load_json(const plan::Load& load) {
  json requests = json::array();
  for (const plan::Request& request : load.requests) requests.push_back(request_json(request));
  json out = {{"model", load.model == plan::LoadModel::kOpen ? "open" : "closed"},
              {"rate", load.rate},
              {"users", load.users},
              {"spawn_rate", load.spawn_rate},
              {"think_ns", load.think.count()},
              {"pacing_ns", load.pacing.count()},
              {"stages", stages_json(load)},
              {"replay", load.replay},
              {"replay_speed", load.replay_speed},
              {"workers", load.workers},
              {"warmup_ns", load.warmup.count()},
              {"duration_ns", load.duration.count()},
              {"cooldown_ns", load.cooldown.count()},
              {"timeout_ns", load.timeout.count()},
              {"connections", load.connections},
              {"arrivals", load.arrivals},
              {"protocol", load.protocol},
              {"seed", load.seed},
              {"bearer", load.bearer},
              {"requests", std::move(requests)}};
  out.update(load.extra);
  return out;
}

std::string configure_document(const plan::Plan& plan, std::string_view run_id, uint32_t role,
                               const json& options, Configure purpose) {
  json out = {{"run", {{"id", run_id}, {"name", plan.name}}},
              {"target",
               {{"url", plan.target.url},
                {"host", plan.target.host},
                {"port", plan.target.port},
                {"process", process_json(plan.target)}}},
              {"options", options}};
  if (purpose == Configure::kToCheck) out["check_only"] = true;
  if (role == PLUMB_ROLE_LOAD) out["load"] = load_json(plan.load);
  return json_text(out);
}

}  // namespace plumb::engine
