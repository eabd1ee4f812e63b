#include "mock_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <utility>

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;
using Headers = std::map<std::string, std::string>;

Headers headers_of(const std::string& head) {
  Headers headers;
  size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const size_t end = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, end - at - 2);
    const size_t colon = line.find(':');
    if (colon != std::string::npos) {
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      const size_t value = line.find_first_not_of(' ', colon + 1);
      headers[name] = value == std::string::npos ? "" : line.substr(value);
    }
    at = end;
  }
  return headers;
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument(what);
}

void allow_only(const json& object, std::initializer_list<const char*> keys,
                const std::string& where) {
  require(object.is_object(), where + " must be an object");
  for (const auto& [key, value] : object.items()) {
    require(std::find(keys.begin(), keys.end(), key) != keys.end(),
            where + "." + key + ": Extra inputs are not permitted");
  }
}

// What both providers demand of a schema in strict mode.
void check_schema(const json& schema) {
  allow_only(schema,
             {"type", "properties", "required", "additionalProperties", "items", "description"},
             "schema");
  if (schema.at("type") == "array") check_schema(schema.at("items"));
  if (schema.at("type") != "object") return;
  require(schema.value("additionalProperties", true) == json(false),
          "additionalProperties must be false");
  for (const auto& [name, property] : schema.at("properties").items()) {
    const json& needed = schema.at("required");
    require(std::find(needed.begin(), needed.end(), name) != needed.end(),
            "required must list " + name);
    check_schema(property);
  }
}

void check_message(const json& message, const std::string& role) {
  allow_only(message, {"role", "content"}, "messages");
  require(message.at("role") == role, "messages: unexpected role");
  require(!message.at("content").get<std::string>().empty(), "messages: content is empty");
}

void check_turns(const json& messages, size_t from) {
  require(messages.size() > from && (messages.size() - from) % 2 == 1,
          "messages must end with the user's");
  for (size_t i = from; i < messages.size(); ++i)
    check_message(messages[i], (i - from) % 2 == 0 ? "user" : "assistant");
}

void check_anthropic(const Headers& headers, const json& body) {
  require(headers.contains("anthropic-version") && headers.at("anthropic-version") == "2023-06-01",
          "anthropic-version: header is required");
  allow_only(body, {"model", "max_tokens", "system", "messages", "output_config"}, "body");
  require(body.at("model").is_string() && body.at("max_tokens").get<int>() > 0, "max_tokens");
  require(body.at("system").is_string(), "system");
  allow_only(body.at("output_config"), {"format"}, "output_config");
  allow_only(body.at("output_config").at("format"), {"type", "schema"}, "output_config.format");
  require(body.at("output_config").at("format").at("type") == "json_schema", "format.type");
  check_schema(body.at("output_config").at("format").at("schema"));
  check_turns(body.at("messages"), 0);
}

void check_openai(const json& body) {
  allow_only(body, {"model", "max_tokens", "messages", "response_format"}, "body");
  require(body.at("model").is_string() && body.at("max_tokens").get<int>() > 0, "max_tokens");
  check_message(body.at("messages").at(0), "system");
  check_turns(body.at("messages"), 1);
  if (!body.contains("response_format")) return;
  const json& format = body.at("response_format");
  allow_only(format, {"type", "json_schema"}, "response_format");
  require(format.at("type") == "json_schema", "response_format.type");
  allow_only(format.at("json_schema"), {"name", "strict", "schema"}, "json_schema");
  require(format.at("json_schema").at("strict") == json(true), "strict");
  check_schema(format.at("json_schema").at("schema"));
}

std::string error_body(bool anthropic, int status, const std::string& message) {
  static const std::map<int, std::string> kTypes = {{400, "invalid_request_error"},
                                                    {401, "authentication_error"},
                                                    {404, "not_found_error"},
                                                    {429, "rate_limit_error"},
                                                    {500, "api_error"}};
  const auto known = kTypes.find(status);
  const std::string type = known == kTypes.end() ? "api_error" : known->second;
  if (anthropic)
    return json{{"type", "error"}, {"error", {{"type", type}, {"message", message}}}}.dump();
  return json{
      {"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}}}}
      .dump();
}

std::string envelope(bool anthropic, const json& request, const MockServer::Step& step) {
  if (anthropic) {
    return json{{"id", "msg_01"},
                {"type", "message"},
                {"role", "assistant"},
                {"model", request.at("model")},
                {"content", {{{"type", "text"}, {"text", step.text}}}},
                {"stop_reason", step.stop_reason.empty() ? "end_turn" : step.stop_reason},
                {"stop_sequence", nullptr},
                {"usage", {{"input_tokens", 100}, {"output_tokens", 20}}}}
        .dump();
  }
  return json{{"id", "chatcmpl-1"},
              {"object", "chat.completion"},
              {"created", 1},
              {"model", request.at("model")},
              {"choices",
               {{{"index", 0},
                 {"message", {{"role", "assistant"}, {"content", step.text}, {"refusal", nullptr}}},
                 {"finish_reason", "stop"}}}},
              {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 20}, {"total_tokens", 120}}}}
      .dump();
}

std::string http(int status, const std::string& header, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: application/json\r\n" +
         header + "content-length: " + std::to_string(body.size()) +
         "\r\nconnection: close\r\n\r\n" + body;
}

}  // namespace

MockServer::MockServer(std::string key, std::vector<Step> script)
    : key_(std::move(key)), script_(script.begin(), script.end()) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 8) != 0 || ::pipe(wake_) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the mock server could not listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

MockServer::~MockServer() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

std::string MockServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<json> MockServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> MockServer::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

// One connection at a time, one request each.
void MockServer::serve() {
  const auto ready = [this](int fd) {
    std::array<pollfd, 2> watched = {pollfd{fd, POLLIN, 0}, pollfd{wake_[0], POLLIN, 0}};
    ::poll(watched.data(), watched.size(), -1);
    return watched[1].revents == 0;
  };
  while (ready(listener_)) {
    const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::string text;
    size_t head_end = std::string::npos;
    size_t wanted = 0;
    std::array<char, 16384> buffer{};
    while (ready(peer)) {
      const ssize_t n = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (n <= 0) break;
      text.append(buffer.data(), static_cast<size_t>(n));
      if (head_end == std::string::npos) {
        head_end = text.find("\r\n\r\n");
        if (head_end == std::string::npos) continue;
        const Headers headers = headers_of(text.substr(0, head_end + 2));
        const auto length = headers.find("content-length");
        wanted = length == headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
      }
      if (text.size() < head_end + 4 + wanted) continue;
      bool hang = false;
      const std::string out = answer(text.substr(0, head_end + 2), text.substr(head_end + 4), hang);
      if (hang) {
        ready(peer);  // until the client gives up
        break;
      }
      for (size_t sent = 0; sent < out.size();) {
        const ssize_t m = ::send(peer, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
        if (m <= 0) break;
        sent += static_cast<size_t>(m);
      }
      break;
    }
    ::close(peer);
  }
}

std::string MockServer::answer(const std::string& head, const std::string& text, bool& hang) {
  const std::lock_guard lock(mutex_);
  const bool anthropic = head.starts_with("POST /v1/messages HTTP/1.1\r\n");
  const auto refuse = [&](int status, const std::string& message) {
    violations_.push_back(message);
    return http(status, "", error_body(anthropic, status, message));
  };
  if (!anthropic && !head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"))
    return refuse(404, "no such method and path: " + head.substr(0, head.find('\r')));
  const Headers headers = headers_of(head);
  const auto header = [&](const char* name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  };
  if (header("content-type") != "application/json") return refuse(400, "content-type");
  const std::string shown = anthropic ? header("x-api-key") : header("authorization");
  if (shown != (anthropic ? key_ : "Bearer " + key_))
    return http(401, "", error_body(anthropic, 401, "invalid key " + shown));
  const json body = json::parse(text, nullptr, false);
  try {
    require(body.is_object(), "the body is not JSON");
    anthropic ? check_anthropic(headers, body) : check_openai(body);
  } catch (const std::exception& error) {
    return refuse(400, error.what());
  }
  requests_.push_back(body);
  if (script_.empty()) return refuse(500, "a request more than the test expects");
  const Step step = script_.front();
  script_.pop_front();
  switch (step.kind) {
    case Kind::kText:
      return http(200, step.header, envelope(anthropic, body, step));
    case Kind::kStatus:
      // As careless servers do: the key comes back in the message.
      return http(step.status, step.header,
                  error_body(anthropic, step.status, "request with " + key_ + " failed"));
    case Kind::kRaw:
      return http(200, step.header, step.text);
    case Kind::kHang:
      break;
  }
  hang = true;
  return {};
}

}  // namespace plumb::llm_analyzer
