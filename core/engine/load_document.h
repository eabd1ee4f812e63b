// The JSON document that an instance is configured with (plumb_config.document):
//
//   {"run":     {"id": "...", "name": "..."},
//    "target":  {"url": "http://127.0.0.1:8080", "host": "127.0.0.1", "port": 8080,
//                "process": {"port": n, "pid": n, "name": "...", "cgroup": "..."}},
//    "load":    {...},        role load only, see load_json
//    "options": {...}}        as configured, in carried units (nanoseconds, bytes)
//
// `process` holds the selectors that the plan gives and no others. When it gives none and plumb
// starts the target, it is {"port": <the target's port>}.
#ifndef PLUMB_CORE_ENGINE_LOAD_DOCUMENT_H_
#define PLUMB_CORE_ENGINE_LOAD_DOCUMENT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/plan/plan.h"

namespace plumb::engine {

// {"model": "open" | "closed", "rate": n, "users": n, "spawn_rate": n, "think_ns": n,
//  "warmup_ns": n, "duration_ns": n, "cooldown_ns": n, "timeout_ns": n, "connections": n,
//  "seed": n, "bearer": "...",
//  "requests": [{"name", "method", "path", "weight", "headers": [["k", "v"], ...], "body",
//                "expect": [status, ...]}, ...]}
// Every key is always there; what does not apply is 0 or empty. `bearer` is a secret.
nlohmann::json load_json(const plan::Load& load);

// What an instance is configured for: kToCheck says "check_only": true, and it connects to nothing.
enum class Configure { kToRun, kToCheck };

// The document for one instance, as text. Holds secrets: it goes into a configure frame only.
std::string configure_document(const plan::Plan& plan, std::string_view run_id, uint32_t role,
                               const nlohmann::json& options,
                               Configure purpose = Configure::kToRun);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_LOAD_DOCUMENT_H_
