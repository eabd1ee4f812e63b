#include "core/serve/security_headers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace plumb::serve {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 6> kHeaders = {{
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
}};

}  // namespace

void add_security_headers(Response& response) {
  const auto add = [&](const char* name, const char* value) {
    const bool there = std::any_of(response.headers.begin(), response.headers.end(),
                                   [&](const auto& header) { return header.first == name; });
    if (!there) response.headers.emplace_back(name, value);
  };
  if (response.content_type.rfind("text/html", 0) == 0) {
    add("Content-Security-Policy", "frame-ancestors 'none'");
  }
  for (const auto& [name, value] : kHeaders) add(name, value);
}

}  // namespace plumb::serve
