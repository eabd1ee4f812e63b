#include "plugins/http_load/http2_request.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "plugins/http_load/trace_ids.h"

namespace plumb::http_load {
namespace {

// They speak of a connection, of which HTTP/2 has its own ways (RFC 9113, 8.2.2).
constexpr std::array<std::string_view, 6> kOfHttp1 = {
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"};

const std::string* own_header(const Message& message, std::string_view name) {
  for (const auto& [key, value] : message.headers)
    if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0)
      return &value;
  return nullptr;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Peers must refuse a value with blanks at its ends.
std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool says_length_even_of_nothing(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

nghttp2_nv field_of(std::string_view name, std::string_view value, uint8_t flags) {
  // nghttp2 takes pointers to what may be changed, and changes nothing.
  return {
      reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
      reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
      static_cast<uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
}

}  // namespace

Http2Request::Http2Request(const LoadPlan& plan, const Message& message, const Origin& origin)
    : body_(message.body), wants_ids_(own_header(message, "traceparent") == nullptr) {
  const std::string* host = own_header(message, "host");
  add(":method", message.method);
  add(":scheme", origin.tls ? "https" : "http");
  add(":authority", host != nullptr ? *host : origin.authority);
  add(":path", message.path);
  if (own_header(message, "user-agent") == nullptr) add("user-agent", "plumb/0.1");
  if (own_header(message, "accept") == nullptr) add("accept", "*/*");
  if (!plan.authorization.empty() && own_header(message, "authorization") == nullptr)
    add("authorization", plan.authorization);
  const bool says_length = !body_.empty() || says_length_even_of_nothing(message.method);
  if (says_length && own_header(message, "content-length") == nullptr)
    add("content-length", std::to_string(body_.size()));
  for (const auto& [name, value] : message.headers) {
    const std::string key = lower_case(name);
    if (std::find(kOfHttp1.begin(), kOfHttp1.end(), key) == kOfHttp1.end()) add(key, value);
  }
  if (!wants_ids_) return;
  fields_.push_back(field_of("traceparent", {}, NGHTTP2_NV_FLAG_NONE));
  fields_.back().valuelen = TraceIds::kIdsSize;
}

void Http2Request::add(std::string_view name, std::string_view value) {
  const std::string& kept_name = texts_.emplace_back(name);
  const std::string& kept_value = texts_.emplace_back(trimmed(value));
  fields_.push_back(field_of(kept_name, kept_value, NGHTTP2_NV_FLAG_NONE));
}

std::span<const nghttp2_nv> Http2Request::fields(const char* ids, bool is_first) {
  if (!wants_ids_) return fields_;
  nghttp2_nv& field = fields_.back();
  field.value = reinterpret_cast<uint8_t*>(const_cast<char*>(ids));
  // They are new each time: in the compression table they would only push out what is of use.
  constexpr uint8_t kNotKept = NGHTTP2_NV_FLAG_NO_INDEX;
  field.flags = is_first ? field.flags & static_cast<uint8_t>(~kNotKept) : field.flags | kNotKept;
  return fields_;
}

}  // namespace plumb::http_load
