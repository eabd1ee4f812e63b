#include "core/session/analysis.h"

#include <chrono>

#include "core/base/json_text.h"
#include "core/base/redact.h"

namespace plumb::session {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// The analyzer keeps its own time; beyond it and this it is given up.
constexpr seconds kGrace{10};
constexpr seconds kWithoutTimeout{60};

nanoseconds deadline_of(const plan::PluginUse& use) {
  const auto timeout = use.options.find("timeout");
  if (timeout == use.options.end() || !timeout->is_number_integer()) return kWithoutTimeout;
  return nanoseconds(timeout->get<int64_t>()) + kGrace;
}

json list_with(const json& report, const char* list, const char* from, const char* to) {
  json out = json::array();
  if (!report.contains(list) || !report[list].is_array()) return out;
  for (json item : report[list]) {
    if (item.is_object() && item.contains(from) && !item.contains(to)) item[to] = item[from];
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

json analysis_input(const json& report) {
  return {{"verdict", report.contains("verdict") ? report["verdict"] : json()},
          {"findings", list_with(report, "findings", "cause", "id")},
          {"facts", report.contains("facts") ? report["facts"] : json::array()},
          {"ledger", list_with(report, "ledger", "key", "line")}};
}

json analyze(const plan::Plan& plan, const engine::Catalog& catalog,
             const engine::EngineOptions& options, const json& report, const std::stop_token& stop,
             std::vector<std::string>& warnings) {
  json answer;
  for (const plan::PluginUse& use : plan.plugins) {
    const auto entry = catalog.find(use.name);
    if (!entry.is_ok() || entry.value()->manifest.role != PLUMB_ROLE_ANALYZER) continue;
    const std::string input = json_text(analysis_input(report));
    const auto said =
        engine::run_analyzer(plan, use, catalog, options, input, deadline_of(use), stop);
    if (!said.is_ok()) {
      warnings.push_back(use.name + ": " + redact(said.status().message(), plan.secret_values));
      continue;
    }
    json parsed = json::parse(redact(*said, plan.secret_values), nullptr, false);
    if (!parsed.is_object()) {
      warnings.push_back(use.name + ": its answer is no JSON object and was left out");
      continue;
    }
    parsed["plugin"] = use.name;
    answer = std::move(parsed);
  }
  return answer;
}

}  // namespace plumb::session
