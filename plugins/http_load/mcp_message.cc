#include "plugins/http_load/mcp_message.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "plugins/http_load/json_rpc.h"
#include "plugins/http_load/schema_instance.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using Kind = RpcCall::Kind;

constexpr std::string_view kClientInfo = R"({"name":"plumb","version":"0.1"})";

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string meta_of(const McpDialect& dialect) {
  return R"("_meta":{"io.modelcontextprotocol/protocolVersion":)" + dumped(dialect.revision) +
         R"(,"io.modelcontextprotocol/clientInfo":)" + std::string(kClientInfo) +
         R"(,"io.modelcontextprotocol/clientCapabilities":{}})";
}

std::string initialize_params() {
  return R"({"protocolVersion":")" + std::string(kSessionRevision) +
         R"(","capabilities":{},"clientInfo":)" + std::string(kClientInfo) + "}";
}

// JSON text, or empty for none.
std::string params_of(const McpDialect& dialect, const RpcCall& call,
                      const std::string& arguments) {
  if (call.kind == Kind::kInitialize) return initialize_params();
  std::string members;
  const auto add = [&](const std::string& member) {
    members += (members.empty() ? "" : ",") + member;
  };
  if (dialect.is_self_contained) add(meta_of(dialect));
  if (call.kind == Kind::kTool || call.kind == Kind::kPrompt) {
    add(R"("name":)" + dumped(call.subject));
    if (!arguments.empty()) add(R"("arguments":)" + arguments);
  }
  if (call.kind == Kind::kResource) add(R"("uri":)" + dumped(call.subject));
  if (!call.cursor.empty()) add(R"("cursor":)" + dumped(call.cursor));
  return members.empty() ? "" : "{" + members + "}";
}

std::string header_text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_primitive() ? dumped(value) : "";
}

void add_call_headers(const RpcCall& call, const std::string& arguments, Message& out) {
  out.headers.emplace_back("Mcp-Method", call.method);
  if (!call.subject.empty()) out.headers.emplace_back("Mcp-Name", mcp_header_value(call.subject));
  if (call.header_arguments.empty()) return;
  const json values = json::parse(arguments, nullptr, false);
  for (const HeaderArgument& argument : call.header_arguments)
    if (values.is_object() && values.contains(argument.at) && !values.at(argument.at).is_null())
      out.headers.emplace_back(argument.header,
                               mcp_header_value(header_text_of(values.at(argument.at))));
}

std::string base64_text(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j)
      out += i + j > bytes.size() ? '=' : kLetters[group >> (18 - 6 * j) & 63];
  }
  return out;
}

bool is_header_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_of_simple_type(const json& schema) {
  const auto type = schema.find("type");
  return type != schema.end() && (*type == "string" || *type == "integer" || *type == "boolean");
}

// How many x-mcp-header there are anywhere in `schema`.
size_t count_annotations(const json& schema) {
  size_t count = 0;
  if (schema.is_object() && schema.contains("x-mcp-header")) ++count;
  if (schema.is_structured())
    for (const json& child : schema) count += count_annotations(child);
  return count;
}

// Those that are reached through properties alone; false when one of them is not allowed.
bool collect(const json& schema, const json::json_pointer& at, std::vector<HeaderArgument>& out) {
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return true;
  for (const auto& [name, property] : properties->items()) {
    if (!property.is_object()) continue;
    const json::json_pointer here = at / name;
    if (const auto header = property.find("x-mcp-header"); header != property.end()) {
      if (!header->is_string() || !is_header_name(header->get_ref<const std::string&>()) ||
          !is_of_simple_type(property))
        return false;
      out.push_back({"Mcp-Param-" + header->get<std::string>(), here});
    }
    if (!collect(property, here, out)) return false;
  }
  return true;
}

bool same_header(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

Message mcp_message(const McpDialect& dialect, const RpcCall& call, const Message& base,
                    uint64_t id, std::string_view session_id, uint64_t draw) {
  Message out = base;
  std::string arguments = call.arguments;
  if (arguments.empty() && (call.kind == Kind::kTool || call.kind == Kind::kPrompt)) {
    const json made = schema_instance(call.schema, draw);
    arguments = made.is_object() ? dumped(made) : "{}";
  }
  const std::string params = params_of(dialect, call, arguments);
  out.body = call.kind == Kind::kInitialized ? rpc_notification(call.method, params)
                                             : rpc_request(id, call.method, params);
  if (call.kind != Kind::kInitialize)
    out.headers.emplace_back("MCP-Protocol-Version", dialect.revision);
  if (!session_id.empty()) out.headers.emplace_back("Mcp-Session-Id", session_id);
  if (dialect.is_self_contained) add_call_headers(call, arguments, out);
  return out;
}

std::string mcp_header_value(std::string_view text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  const bool is_padded = text.starts_with(' ') || text.ends_with(' ');
  const bool looks_encoded = text.starts_with("=?base64?") && text.ends_with("?=");
  if (is_plain && !is_padded && !looks_encoded) return std::string(text);
  return "=?base64?" + base64_text(text) + "?=";
}

std::optional<std::vector<HeaderArgument>> header_arguments_of(const json& schema) {
  std::vector<HeaderArgument> out;
  if (!schema.is_object()) return out;
  if (!collect(schema, json::json_pointer(), out)) return std::nullopt;
  if (out.size() != count_annotations(schema)) return std::nullopt;
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (same_header(out[i].header, out[j].header)) return std::nullopt;
  return out;
}

}  // namespace plumb::http_load
