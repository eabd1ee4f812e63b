// What a run keeps about where it ran.
#ifndef PLUMB_CORE_SESSION_ENVIRONMENT_H_
#define PLUMB_CORE_SESSION_ENVIRONMENT_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/engine/catalog.h"
#include "core/plan/plan.h"

namespace plumb::session {

// The version of plumb.
std::string_view version();

// {"plumb", "kernel", "machine", "processor", "processors", "memory_bytes",
//  "plugins": {name: version}}; what cannot be read is left out. `root` stands for /.
nlohmann::json describe_environment(const plan::Plan& plan, const engine::Catalog& catalog,
                                    const std::filesystem::path& root = "/");

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_ENVIRONMENT_H_
