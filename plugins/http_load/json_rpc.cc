#include "plugins/http_load/json_rpc.h"

#include <utility>

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr int kDeepestNesting = 200;

// nlohmann copies and writes recursively, so depth costs stack.
bool is_nested_too_deeply(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

RpcReply protocol_error(std::string detail) {
  return {.error = ErrorClass::kProtocol, .detail = std::move(detail)};
}

RpcReply parsed_answer(std::string_view body, json& out) {
  if (body.empty()) return protocol_error("the answer is empty, and not JSON-RPC");
  if (is_nested_too_deeply(body)) return protocol_error("the answer is nested too deeply");
  out = json::parse(body, nullptr, false);
  if (out.is_discarded()) return protocol_error("the answer is no JSON: " + one_line(body, 60));
  if (!out.is_object()) return protocol_error("the answer is no JSON-RPC object");
  return {};
}

bool has_id(const json& message, uint64_t id) {
  const auto at = message.find("id");
  return at != message.end() && at->is_number_unsigned() && at->get<uint64_t>() == id;
}

// The id of an error is null where the server could not read the request's.
bool lacks_id(const json& message) {
  const auto at = message.find("id");
  return at == message.end() || at->is_null();
}

RpcReply reply_of_error(const json& error) {
  RpcReply out{.error = ErrorClass::kRpc, .detail = "error"};
  if (!error.is_object()) return out;
  if (const auto code = error.find("code"); code != error.end() && code->is_number_integer()) {
    out.code = code->get<int64_t>();
    out.detail += " " + std::to_string(out.code);
  }
  const auto message = error.find("message");
  if (message != error.end() && message->is_string())
    out.detail += ": " + one_line(message->get_ref<const std::string&>());
  return out;
}

RpcReply reply_of(json&& message, uint64_t id) {
  if (const auto error = message.find("error"); error != message.end() && !error->is_null()) {
    if (has_id(message, id) || lacks_id(message)) return reply_of_error(*error);
    return protocol_error("the answer is to another request: its id is not ours");
  }
  const auto result = message.find("result");
  if (result == message.end())
    return protocol_error("the answer has neither a result nor an error");
  if (!has_id(message, id))
    return protocol_error("the answer is to another request: its id is not ours");
  return {.error = ErrorClass::kNone, .result = std::move(*result)};
}

std::string with_params(std::string message, std::string_view method, std::string_view params) {
  message += R"("method":)" + json(method).dump(-1, ' ', false, json::error_handler_t::replace);
  if (!params.empty()) message.append(R"(,"params":)").append(params);
  return message + "}";
}

}  // namespace

std::string rpc_request(uint64_t id, std::string_view method, std::string_view params) {
  return with_params(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + ",", method, params);
}

std::string rpc_notification(std::string_view method, std::string_view params) {
  return with_params(R"({"jsonrpc":"2.0",)", method, params);
}

std::string one_line(std::string_view text, size_t most_bytes) {
  const bool cut = text.size() > most_bytes;
  size_t end = cut ? most_bytes : text.size();
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  std::string out(text.substr(0, end));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return cut ? out + "..." : out;
}

RpcReply read_rpc_reply(std::string_view body, uint64_t id) {
  json message;
  RpcReply trouble = parsed_answer(body, message);
  return trouble.ok() ? reply_of(std::move(message), id) : trouble;
}

std::optional<RpcReply> read_rpc_message(std::string_view text, uint64_t id) {
  json message;
  RpcReply trouble = parsed_answer(text, message);
  if (!trouble.ok()) return trouble;
  if (message.contains("method")) return std::nullopt;
  if (!has_id(message, id) && !lacks_id(message)) return std::nullopt;
  return reply_of(std::move(message), id);
}

}  // namespace plumb::http_load
