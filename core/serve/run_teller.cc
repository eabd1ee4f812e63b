#include "core/serve/run_teller.h"

#include <string>

#include "core/base/json_text.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

json health_json(const HealthChange& change) {
  return {{"plugin", change.plugin},
          {"health", health_name(change.health)},
          {"message", change.message}};
}

void set_if_known(json& out, const char* key, const std::optional<double>& value) {
  if (value) out[key] = *value;
}

}  // namespace

json live_numbers(const session::LiveSnapshot& snapshot) {
  json out = {{"requests", snapshot.requests}, {"failed", snapshot.failed}};
  if (!snapshot.phase.empty()) out["phase"] = snapshot.phase;
  if (snapshot.stage) {
    out["stage"] = snapshot.stage->name;
    out["stage_elapsed_s"] = snapshot.stage_elapsed_s;
    out["stage_s"] = snapshot.stage_s;
    out["left_s"] = snapshot.left_s;
  }
  set_if_known(out, "in_flight", snapshot.in_flight);
  set_if_known(out, "users", snapshot.users);
  set_if_known(out, "target_requests_per_second", snapshot.target_rate);
  if (snapshot.last) {
    out["requests_per_second"] = snapshot.last->rate;
    json response = json::object();
    set_if_known(response, "p50", snapshot.last->p50_s);
    set_if_known(response, "p95", snapshot.last->p95_s);
    set_if_known(response, "p99", snapshot.last->p99_s);
    if (!response.empty()) out["response_seconds"] = std::move(response);
  }
  if (snapshot.top) {
    out["most_costly"] = {
        {"layer", snapshot.top->name}, {"ms", snapshot.top->ms}, {"of_ms", snapshot.top->of_ms}};
  }
  json unwell = json::array();
  for (const HealthChange& change : snapshot.unwell) unwell.push_back(health_json(change));
  out["unwell"] = std::move(unwell);
  return out;
}

void RunTeller::on_health(const HealthChange& change) {
  log_.append("health", json_text(health_json(change)));
}

void RunTeller::on_phase(std::string_view text) {
  live_.on_phase(text);
  log_.append("phase", json_text({{"text", text}}));
}

void RunTeller::on_stage(const StageSpan& stage) {
  live_.on_stage(stage);
  const double seconds = static_cast<double>(stage.end_ns - stage.start_ns) / 1e9;
  log_.append("stage", json_text({{"name", stage.name},
                                  {"kind", stage_kind_name(stage.kind)},
                                  {"planned_s", seconds}}));
}

bool RunTeller::wait_until(std::chrono::steady_clock::time_point time) {
  MutexLock lock(mutex_);
  while (!finished_) {
    if (!finishing_.wait_until(mutex_, time)) return !finished_;
  }
  return false;
}

void RunTeller::finish() {
  MutexLock lock(mutex_);
  finished_ = true;
  finishing_.notify_all();
}

}  // namespace plumb::serve
