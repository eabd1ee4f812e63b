// The requests of MCP's streamable HTTP transport, in the dialect that the server understands.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_MESSAGE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_MESSAGE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/mcp_plan.h"

namespace plumb::http_load {

// The revisions that this client speaks: the last with sessions, and the first without.
constexpr std::string_view kSessionRevision = "2025-11-25";
constexpr std::string_view kStatelessRevision = "2026-07-28";

// One request as it goes out. `base` has the path and the headers that do not depend on the call;
// `session_id` may be empty. Arguments that the plan does not give follow from `draw`.
Message mcp_message(const McpDialect& dialect, const RpcCall& call, const Message& base,
                    uint64_t id, std::string_view session_id, uint64_t draw);

// A value as that of a header: as it is, or in the form that MCP has for what no header can hold.
std::string mcp_header_value(std::string_view text);

// The arguments that a tool's input schema wants as headers too; nothing when it wants them in a
// way that the specification forbids: such a tool must not be called.
std::optional<std::vector<HeaderArgument>> header_arguments_of(const nlohmann::json& schema);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_MESSAGE_H_
