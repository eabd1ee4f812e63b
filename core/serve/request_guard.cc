#include "core/serve/request_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "core/serve/token.h"

namespace plumb::serve {
namespace {

constexpr std::string_view kScheme = "http://";

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_loopback_name(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr v4{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

// Whether `authority` is host:port of ours; the port may be left out when it is 80.
bool is_ours(std::string_view authority, uint16_t port) {
  std::string host = lower_case(authority);
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  if (!has_port) return port == 80 && is_loopback_name(host);
  if (host.substr(colon + 1) != std::to_string(port)) return false;
  return is_loopback_name(host.substr(0, colon));
}

Problem forbidden(std::string kind, std::string detail) {
  return {403, std::move(kind), "The request does not come from this machine's own programs",
          std::move(detail)};
}

}  // namespace

std::optional<Problem> check_origin(const RequestHead& head) {
  if (head.target.empty() || head.target.front() != '/') {
    return Problem{400, "bad-target", "The request names no path",
                   "The request's target must be a path that begins with a slash."};
  }
  if (head.header_count("host") != 1) {
    return Problem{400, "bad-host", "The request has no one Host header",
                   "A request carries exactly one Host header."};
  }
  const std::string ours = "127.0.0.1:" + std::to_string(head.local_port);
  if (!is_ours(*head.header("host"), head.local_port)) {
    return forbidden("foreign-host", "The Host header does not name this daemon. Ask " +
                                         std::string(kScheme) + ours + " or localhost.");
  }
  for (const auto& [name, value] : head.headers) {
    if (name != "origin") continue;
    const bool http = value.compare(0, kScheme.size(), kScheme) == 0;
    if (!http || !is_ours(std::string_view(value).substr(kScheme.size()), head.local_port)) {
      return forbidden("foreign-origin",
                       "The request was made by a page of another origin, which may not use "
                       "this daemon.");
    }
  }
  const std::string* site = head.header("sec-fetch-site");
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (site && (*site == "cross-site" || (*site == "same-site" && !reads))) {
    return forbidden("foreign-site",
                     "The request was made by a page of another site, which may not use this "
                     "daemon. Open the address in a tab of its own.");
  }
  return std::nullopt;
}

std::optional<Problem> check_token(const RequestHead& head, std::string_view token) {
  constexpr std::string_view kBearer = "bearer ";
  const std::string* sent = head.header("authorization");
  if (sent && head.header_count("authorization") == 1 &&
      lower_case(std::string_view(*sent).substr(0, kBearer.size())) == kBearer &&
      same_secret(trimmed(std::string_view(*sent).substr(kBearer.size())), token)) {
    return std::nullopt;
  }
  Problem problem{401, "token-needed", "The request carries no valid token",
                  "This daemon was started with --token-file: send 'Authorization: Bearer' and the "
                  "content of that file."};
  problem.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"plumbd\"");
  return problem;
}

std::string media_type(const RequestHead& head) {
  const std::string* type = head.header("content-type");
  return type ? lower_case(trimmed(std::string_view(*type).substr(0, type->find(';')))) : "";
}

bool is_yaml(std::string_view type) {
  return type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml" ||
         type == "text/x-yaml";
}

std::optional<Problem> check_content_type(const RequestHead& head) {
  const std::string type = media_type(head);
  if (type == "application/json" || is_yaml(type)) return std::nullopt;
  Problem problem{415, "content-type", "The content type is not taken here",
                  (type.empty() ? std::string("The request has no Content-Type.")
                                : "The Content-Type is " + type + ".") +
                      " Send application/yaml with the plan as the body, or application/json "
                      "with {\"plan\": \"...\"}."};
  problem.headers.emplace_back("Accept", "application/json, application/yaml");
  return problem;
}

}  // namespace plumb::serve
