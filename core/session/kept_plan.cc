#include "core/session/kept_plan.h"

#include <string>

namespace plumb::session {

using nlohmann::json;

json kept_plan(const plan::Plan& plan) {
  json out = plan.resolved;
  out["slos"] = json::array();
  for (const plan::Slo& slo : plan.slos) {
    json clause = {{"endpoint", slo.endpoint},
                   {"metric", slo.metric},
                   {"limit", slo.limit},
                   {"written", slo.written},
                   {"at_least", slo.at_least}};
    if (slo.is_fact) {
      clause["unit"] = slo.unit;
      clause["labels"] = json::object();
      for (const auto& [name, value] : slo.labels) clause["labels"][name] = value;
    }
    out["slos"].push_back(std::move(clause));
  }
  return out;
}

}  // namespace plumb::session
