// What has to be known of a server of MCP before it is loaded.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_DISCOVERY_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_DISCOVERY_H_

#include <plumb/status.hpp>

#include "plugins/http_load/clock.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/poller.h"

namespace plumb::http_load {

// Asks the server of a plan whose protocol is MCP what it offers, and completes the plan: how to
// speak with it, the default mix where the plan lists no requests, the schemas that arguments are
// made up from, and, after the plan's own, the endpoints `initialize` and
// `notifications/initialized`. An error when the server cannot be reached, does not speak a known
// revision, or lacks a tool or prompt that the plan names. Blocks, for a request timeout at most
// for each question, or until stopped.
Status discover_mcp(LoadPlan& plan, const Clock& clock, const StopFlag& stop);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_DISCOVERY_H_
