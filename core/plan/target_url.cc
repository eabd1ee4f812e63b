#include "core/plan/target_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "core/plan/problems.h"
#include "core/plan/quantity.h"

namespace plumb::plan {
namespace {

constexpr std::string_view kExample = "expected an address such as http://127.0.0.1:8080";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '.' || c == '_';
         });
}

// 127.1 and 0x7f000001 mean an address to some resolvers: only the dotted form is one here.
bool is_strange_number(const std::string& host) {
  in_addr address{};
  return inet_aton(host.c_str(), &address) != 0 && inet_pton(AF_INET, host.c_str(), &address) != 1;
}

}  // namespace

Result<TargetUrl> parse_target_url(std::string_view text) {
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return Status::invalid_argument(std::string(kExample) + ", with its scheme");
  const std::string scheme = lower(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https")
    return Status::invalid_argument("the scheme must be http or https, got " + in_quotes(scheme));
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos)
    return Status::invalid_argument("no user or password belongs here; use load.bearer or headers");
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos)
    return Status::invalid_argument("no path belongs here; write it in load.requests: path");
  TargetUrl out;
  const bool bracketed = rest.starts_with('[');
  const size_t host_end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed) {
    if (host_end == std::string_view::npos)
      return Status::invalid_argument("the bracket of the IPv6 address is not closed");
    out.host = lower(rest.substr(1, host_end - 1));
    in6_addr address{};
    if (inet_pton(AF_INET6, out.host.c_str(), &address) != 1)
      return Status::invalid_argument(in_quotes(out.host) + " is no IPv6 address");
    rest.remove_prefix(host_end + 1);
  } else {
    out.host = lower(rest.substr(0, host_end));
    if (!is_host_name(out.host) || is_strange_number(out.host))
      return Status::invalid_argument(std::string(kExample) + ": " + in_quotes(out.host) +
                                      " is no host name");
    rest.remove_prefix(std::min(host_end, rest.size()));
  }
  out.port = scheme == "https" ? 443 : 80;
  if (!rest.empty()) {
    const auto number = rest.front() == ':' ? parse_integer(rest.substr(1)) : std::nullopt;
    if (!number || *number < 1 || *number > 65535)
      return Status::invalid_argument("the port must be a number from 1 to 65535");
    out.port = static_cast<int>(*number);
  }
  out.url = scheme + "://" + (bracketed ? "[" + out.host + "]" : out.host) +
            (rest.empty() ? "" : ":" + std::to_string(out.port));
  return out;
}

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return text == "localhost";
}

}  // namespace plumb::plan
