// One HTTPS POST, bounded in time and size, over libcurl.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_HTTP_POST_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_HTTP_POST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::llm_analyzer {

constexpr size_t kMostResponseBytes = 1u << 20;

struct HttpResponse {
  long status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;
};

// INVALID_ARGUMENT, saying what is wrong, unless `url` is https, or http to this machine's loopback
// (localhost, 127.0.0.0/8, ::1), with neither user name, query nor fragment.
Status check_base_url(const std::string& url);

// Sends `body` with `headers` ("name: value") to `url`, which check_base_url accepted. Follows no
// redirects, uses no proxy, verifies certificates, connects to loopback only if the scheme is http,
// and gives up when the answer exceeds kMostResponseBytes (RESOURCE_EXHAUSTED), when `timeout` is
// over (DEADLINE_EXCEEDED) or when `cancelled` turns true (CANCELLED). Errors never hold headers.
Result<HttpResponse> http_post(const std::string& url, const std::vector<std::string>& headers,
                               std::string_view body, std::chrono::milliseconds timeout,
                               const std::atomic<bool>& cancelled);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_HTTP_POST_H_
