#include "plugins/http_load/http1_request.h"

#include <strings.h>

#include <algorithm>
#include <cstring>

namespace plumb::http_load {
namespace {

bool has_header(const Message& message, const char* name) {
  return std::any_of(message.headers.begin(), message.headers.end(),
                     [name](const auto& h) { return strcasecmp(h.first.c_str(), name) == 0; });
}

// A request with these methods says how long its body is even when it is empty.
bool takes_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

Http1Request::Http1Request(const LoadPlan& plan, const Message& message, std::string_view authority)
    : is_head_(message.method == "HEAD") {
  const auto add = [this](std::string_view name, std::string_view value) {
    bytes_.append(name).append(value.empty() ? ":" : ": ").append(value).append("\r\n");
  };
  bytes_ = message.method + " " + message.path + " HTTP/1.1\r\n";
  if (!has_header(message, "host")) add("Host", authority);
  if (!has_header(message, "user-agent")) add("User-Agent", "plumb/0.1");
  if (!has_header(message, "accept")) add("Accept", "*/*");
  if (!plan.authorization.empty() && !has_header(message, "authorization"))
    add("Authorization", plan.authorization);
  const bool says_length =
      has_header(message, "content-length") || has_header(message, "transfer-encoding");
  if ((!message.body.empty() || takes_body(message.method)) && !says_length)
    add("Content-Length", std::to_string(message.body.size()));
  for (const auto& [name, value] : message.headers) add(name, value);
  if (!has_header(message, "traceparent")) {
    constexpr std::string_view kName = "traceparent: ";
    trace_at_ = bytes_.size() + kName.size();
    bytes_.append(kName).append(TraceIds::kIdsSize, '0').append("\r\n");
  }
  bytes_ += "\r\n";
  bytes_ += message.body;
}

std::string_view Http1Request::next(TraceIds& traces) {
  if (trace_at_ != std::string::npos) traces.next(bytes_.data() + trace_at_);
  return bytes_;
}

}  // namespace plumb::http_load
