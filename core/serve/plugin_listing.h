// The installed plugins as GET /api/v1/plugins gives them.
#ifndef PLUMB_CORE_SERVE_PLUGIN_LISTING_H_
#define PLUMB_CORE_SERVE_PLUGIN_LISTING_H_

#include <nlohmann/json.hpp>

#include "core/engine/catalog.h"

namespace plumb::serve {

// {"plugins": [...], "refused": [{"path", "message"}], "directories": [...]}
nlohmann::json plugin_listing(const engine::Catalog& catalog);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_PLUGIN_LISTING_H_
