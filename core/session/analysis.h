// Has the plan's analyzers put a finished run into words.
#ifndef PLUMB_CORE_SESSION_ANALYSIS_H_
#define PLUMB_CORE_SESSION_ANALYSIS_H_

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/catalog.h"
#include "core/engine/engine.h"
#include "core/plan/plan.h"

namespace plumb::session {

// What an analyzer is given of report.json: {"verdict", "findings": [{"id", ...}], "facts",
// "ledger": [{"line", ...}]}; `id` is a finding's cause, `line` a ledger line's key.
nlohmann::json analysis_input(const nlohmann::json& report);

// The analyzers' answer, with "plugin" added, or null when the plan has none or it failed; then
// `warnings` says why. With several analyzers the last answer counts.
nlohmann::json analyze(const plan::Plan& plan, const engine::Catalog& catalog,
                       const engine::EngineOptions& options, const nlohmann::json& report,
                       const std::stop_token& stop, std::vector<std::string>& warnings);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_ANALYSIS_H_
