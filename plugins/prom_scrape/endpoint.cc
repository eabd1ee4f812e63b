#include "plugins/prom_scrape/endpoint.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

struct FreeAddress {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Address = std::unique_ptr<CURLU, FreeAddress>;

std::string part_of_address(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

// Without the brackets of an IPv6 address, in lower case.
std::string bare_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string out(host);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Whether there is a user in the part before the path, however malformed the rest is.
bool holds_credentials(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#")).find('@') != std::string_view::npos;
}

bool names_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace

Result<Endpoint> endpoint_from(std::string_view target_url, std::string_view target_host,
                               std::string_view url) {
  Endpoint out;
  if (url.empty() || url.starts_with('/')) {
    if (target_url.empty())
      return Status::invalid_argument("url: the plan has no target.url that it could be a path on");
    while (target_url.ends_with('/')) target_url.remove_suffix(1);
    out.url = std::string(target_url).append(url.empty() ? "/metrics" : url);
  } else {
    out.url = url;
  }
  // Before anything is told of the text: it holds a secret then.
  if (holds_credentials(out.url))
    return Status::invalid_argument(
        "url: no user or password belongs there; use bearer_token, or header: \"Authorization: "
        "Basic ...\"");
  out.shown = plain_text(out.url.substr(0, out.url.find_first_of("?#")), 200);
  const auto bad = [&](const std::string& why) {
    return Status::invalid_argument("url: \"" + out.shown + "\" " + why);
  };
  const Address address(curl_url());
  if (!address) return Status::resource_exhausted("out of memory");
  if (curl_url_set(address.get(), CURLUPART_URL, out.url.c_str(), 0) != CURLUE_OK)
    return bad("is no address such as http://127.0.0.1:9100/metrics, nor a path such as /metrics");
  const std::string scheme = part_of_address(address.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return bad("is neither http nor https");
  const std::string host = bare_host(part_of_address(address.get(), CURLUPART_HOST));
  out.loopback_only = names_loopback(host);
  if (!out.loopback_only && host != bare_host(target_host))
    return bad(
        "is neither on this machine nor on the target's host, and nowhere else are metrics "
        "read; forward a port of this machine to it");
  return out;
}

}  // namespace plumb::prom_scrape
