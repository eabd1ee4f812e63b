// The option tables of the installed plugins, in the form that plans are checked with.
#ifndef PLUMB_CORE_SESSION_CATALOG_OPTIONS_H_
#define PLUMB_CORE_SESSION_CATALOG_OPTIONS_H_

#include <vector>

#include "core/engine/catalog.h"
#include "core/plan/options.h"

namespace plumb::session {

std::vector<plan::PluginOptions> plugin_options(const engine::Catalog& catalog);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_CATALOG_OPTIONS_H_
