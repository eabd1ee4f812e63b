#include "plugins/http_load/mcp_plan.h"

#include <strings.h>

#include <algorithm>

#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr const char* kMcpKeys[] = {"tool", "resource", "prompt", "list"};
constexpr size_t kMostTools = 50;

Status wrong_key(const std::string& key, const std::string& what) {
  return Status::invalid_argument(key + " " + what);
}

std::string compact_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<RpcCall> read_plain_call(const json& in, const std::string& where) {
  for (const char* key : {"tool", "resource", "prompt", "list", "arguments"})
    if (in.contains(key))
      return wrong_key(where + "." + key, "is for load.protocol mcp, and it is jsonrpc");
  RpcCall call;
  call.method = in.value("rpc", "");
  if (call.method.empty())
    return wrong_key(where + ".rpc", "is missing: the name of the method to call");
  if (const auto params = in.find("params"); params != in.end()) {
    if (!params->is_object() && !params->is_array())
      return wrong_key(where + ".params", "must be keys or a list, as JSON-RPC demands");
    call.params = compact_text(*params);
  }
  return call;
}

Result<RpcCall> read_list_call(const std::string& what, const std::string& where) {
  RpcCall call;
  call.kind = RpcCall::Kind::kList;
  call.method = what + "/list";
  if (what != "tools" && what != "resources" && what != "prompts")
    return wrong_key(where + ".list", "must be tools, resources or prompts");
  return call;
}

Result<RpcCall> read_mcp_call(const json& in, const std::string& where) {
  for (const char* key : {"rpc", "params"})
    if (in.contains(key))
      return wrong_key(where + "." + key, "is for load.protocol jsonrpc, and it is mcp");
  const auto given = std::count_if(std::begin(kMcpKeys), std::end(kMcpKeys),
                                   [&](const char* key) { return in.contains(key); });
  if (given != 1)
    return wrong_key(where,
                     "must have one of tool, resource, prompt and list: load.protocol is mcp");
  if (in.contains("list")) return read_list_call(in["list"].get<std::string>(), where);
  RpcCall call;
  const bool is_tool = in.contains("tool");
  call.kind = is_tool                 ? RpcCall::Kind::kTool
              : in.contains("prompt") ? RpcCall::Kind::kPrompt
                                      : RpcCall::Kind::kResource;
  const char* key = is_tool ? "tool" : in.contains("prompt") ? "prompt" : "resource";
  call.method = is_tool ? "tools/call" : in.contains("prompt") ? "prompts/get" : "resources/read";
  call.subject = in[key].get<std::string>();
  if (call.subject.empty()) return wrong_key(where + "." + key, "is empty");
  const auto arguments = in.find("arguments");
  if (arguments == in.end()) return call;
  if (call.kind == RpcCall::Kind::kResource)
    return wrong_key(where + ".arguments", "is for a tool or a prompt");
  if (!arguments->is_object()) return wrong_key(where + ".arguments", "must be keys and values");
  call.arguments = compact_text(*arguments);
  return call;
}

Status check_no_rpc_keys(const json& in, const std::string& where) {
  for (const char* key : kMcpKeys)
    if (in.contains(key)) return wrong_key(where + "." + key, "needs load.protocol: mcp");
  if (in.contains("arguments"))
    return wrong_key(where + ".arguments", "needs load.protocol: mcp and a tool");
  for (const char* key : {"rpc", "params"})
    if (in.contains(key)) return wrong_key(where + "." + key, "needs load.protocol: jsonrpc");
  return Status::ok();
}

// What JSON-RPC sets itself cannot be set otherwise.
Status check_plain_http(const Request& request, bool is_mcp, const std::string& where) {
  if (request.method != "GET" && request.method != "POST")
    return wrong_key(where + ".method", "is always POST in JSON-RPC: leave it out");
  if (!request.body.empty())
    return wrong_key(where + ".body", is_mcp ? "is for HTTP requests: use arguments"
                                             : "is for HTTP requests: use params");
  if (is_mcp && request.path != "/")
    return wrong_key(where + ".path", "is the same for all requests of MCP: use load.mcp.path");
  return Status::ok();
}

void add_unless_there(Request& request, const std::string& name, const std::string& value) {
  for (const auto& header : request.headers)
    if (strcasecmp(header.first.c_str(), name.c_str()) == 0) return;
  request.headers.emplace_back(name, value);
}

Status read_mcp_section(const json& load, bool is_mcp, RpcPlan& out) {
  const auto mcp = load.find("mcp");
  if (mcp == load.end()) return Status::ok();
  if (!is_mcp) return wrong_key("load.mcp", "needs load.protocol: mcp");
  out.path = mcp->value("path", "/mcp");
  const bool sendable = std::all_of(out.path.begin(), out.path.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
  if (!out.path.starts_with('/') || !sendable)
    return wrong_key("load.mcp.path", "must begin with / and hold no spaces: write %20");
  const std::string session = mcp->value("session", "auto");
  if (session != "auto" && session != "always" && session != "never")
    return wrong_key("load.mcp.session", "must be auto, always or never");
  out.session = session == "always"  ? McpSession::kAlways
                : session == "never" ? McpSession::kStateless
                                     : McpSession::kAuto;
  out.tools = mcp->value("tools", std::vector<std::string>{});
  if (out.tools.size() > kMostTools) return wrong_key("load.mcp.tools", "lists more than 50 tools");
  for (size_t i = 0; i < out.tools.size(); ++i)
    if (std::find(out.tools.begin(), out.tools.begin() + static_cast<long>(i), out.tools[i]) !=
        out.tools.begin() + static_cast<long>(i))
      return wrong_key("load.mcp.tools", "names " + out.tools[i] + " twice");
  return Status::ok();
}

}  // namespace

std::string endpoint_of(const RpcCall& call) {
  return call.subject.empty() ? call.method : call.method + " " + call.subject;
}

Status read_rpc_plan(const json& load, LoadPlan& plan) {
  const bool is_mcp = plan.protocol == Protocol::kMcp;
  const bool is_rpc = is_mcp || plan.protocol == Protocol::kJsonRpc;
  PLUMB_RETURN_IF_ERROR(read_mcp_section(load, is_mcp, plan.rpc));
  const json requests = load.value("requests", json::array());
  if (!requests.empty() && !plan.rpc.tools.empty())
    return wrong_key("load.mcp.tools", "is for a plan without load.requests: keep one of them");
  for (size_t i = 0; i < requests.size(); ++i) {
    const std::string where = "load.requests[" + std::to_string(i) + "]";
    if (!is_rpc) {
      PLUMB_RETURN_IF_ERROR(check_no_rpc_keys(requests[i], where));
      continue;
    }
    Request& request = plan.requests[i];
    PLUMB_RETURN_IF_ERROR(check_plain_http(request, is_mcp, where));
    auto call = is_mcp ? read_mcp_call(requests[i], where) : read_plain_call(requests[i], where);
    if (!call.is_ok()) return call.status();
    request.method = "POST";
    if (is_mcp) request.path = plan.rpc.path;
    if (!requests[i].contains("name")) request.name = endpoint_of(*call);
    if (is_mcp && (request.name == "initialize" || request.name == "notifications/initialized"))
      return wrong_key(where + ".name", "is taken: " + request.name + " is an endpoint of its own");
    add_unless_there(request, "Content-Type", "application/json");
    add_unless_there(request, "Accept",
                     is_mcp ? "application/json, text/event-stream" : "application/json");
    plan.rpc.calls.push_back(std::move(call).value());
  }
  return Status::ok();
}

}  // namespace plumb::http_load
