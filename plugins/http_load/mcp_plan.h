// The part of a plan that speaks JSON-RPC: what load.protocol jsonrpc and mcp add to it.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_PLAN_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_PLAN_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

namespace plumb::http_load {

struct LoadPlan;

enum class McpSession : uint8_t {
  kAuto,      // initialize; go on with a session when the server gives one
  kAlways,    // ... and call it an error when it does not
  kStateless  // never: no initialize: every request stands for itself
};

// An argument of a tool that goes out as a header too.
struct HeaderArgument {
  std::string header;               // Mcp-Param-Region
  nlohmann::json::json_pointer at;  // in the arguments
};

// One kind of call of the load.
struct RpcCall {
  enum class Kind : uint8_t { kPlain, kTool, kResource, kPrompt, kList, kInitialize, kInitialized };
  Kind kind = Kind::kPlain;
  std::string method;     // tools/call
  std::string subject;    // name of the tool or prompt, or the resource's URI; else empty
  std::string params;     // kPlain: JSON text, or empty
  std::string arguments;  // kTool and kPrompt: JSON text; empty: made up from `schema`
  std::string cursor;     // kList: of a page that is not the first
  // As the server told at the start.
  nlohmann::json schema;
  std::vector<HeaderArgument> header_arguments;
};

// How to speak with a server of MCP: settled at the start, the same for all users.
struct McpDialect {
  std::string revision = "2025-11-25";  // goes into MCP-Protocol-Version
  bool initializes = true;              // a user's first iteration begins with initialize
  // Each request says who sends it, in _meta and headers: revision 2026-07-28.
  bool is_self_contained = false;
  bool cuts_streams = false;  // the server leaves streams open after the answer
};

struct RpcPlan {
  std::vector<RpcCall> calls;  // beside the plan's requests
  // Of MCP only.
  McpDialect dialect;
  std::string path = "/mcp";
  McpSession session = McpSession::kAuto;
  std::vector<std::string> tools;  // to be called where the plan lists no requests
};

// The name of the endpoint that a call is, such as "tools/call search".
std::string endpoint_of(const RpcCall& call);

// Reads the calls of the plan's requests, which have been read as HTTP requests before, and makes
// POSTs of them. Keys that belong to another protocol are errors. Throws json::type_error as
// parse_load_plan() expects.
Status read_rpc_plan(const nlohmann::json& load, LoadPlan& plan);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_PLAN_H_
