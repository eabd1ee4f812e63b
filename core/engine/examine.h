// Tries the plugins of a plan without a load: what can each of them see here?
#ifndef PLUMB_CORE_ENGINE_EXAMINE_H_
#define PLUMB_CORE_ENGINE_EXAMINE_H_

#include <chrono>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace plumb::engine {

struct Examined {
  std::string plugin;
  uint32_t role = 0;  // enum plumb_role
  // Not ok when it could not be configured, started or stopped, or died; the message says why.
  Status status;
  uint32_t health = PLUMB_HEALTH_OK;  // enum plumb_health, of one whose status is ok
  std::string message = {};           // of that health: what is missing, and what to do
};

struct Examination {
  Status target;  // whether it answers, or could be started
  std::vector<Examined> plugins;
  std::vector<TableRecord> tables;  // the last of each name
};

// Configures every plugin of the plan, the load driver and analyzers too, starts the target when
// the plan says how, and lets the samplers sample for `watch`. Blocks; every process it started has
// ended when it returns. Each plugin is tried, whatever happens to the others. CANCELLED when
// `stop` was used. Must be called on a thread that lives until it returns.
Result<Examination> examine(const plan::Plan& plan, const Catalog& catalog,
                            const EngineOptions& options, std::chrono::nanoseconds watch,
                            const std::stop_token& stop);

// Has every plugin of the plan judge its configuration and do nothing more: none connects anywhere.
// INVALID_ARGUMENT is what one says of a plan that is wrong in what only it can tell.
Result<std::vector<Examined>> check_plugins(const plan::Plan& plan, const Catalog& catalog,
                                            const EngineOptions& options);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_EXAMINE_H_
