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
  const auto bad = [&](const std::string& why) {
    return Status::invalid_argument("url: \"" + plain_text(out.url, 200) + "\" " + why);
  };
  const Address address(curl_url());
  if (!address) return Status::resource_exhausted("out of memory");
  if (curl_url_set(address.get(), CURLUPART_URL, out.url.c_str(), 0) != CURLUE_OK)
    return bad("is no address such as http://127.0.0.1:9100/metrics, nor a path such as /metrics");
  const std::string scheme = part_of_address(address.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return bad("is neither http nor https");
  // The text is not repeated: it holds a secret.
  if (!part_of_address(address.get(), CURLUPART_USER).empty() ||
      !part_of_address(address.get(), CURLUPART_PASSWORD).empty())
    return Status::invalid_argument(
        "url: no user or password belongs there; use bearer_token, or header: \"Authorization: "
        "Basic ...\"");
  const std::string host = bare_host(part_of_address(address.get(), CURLUPART_HOST));
  out.loopback_only = names_loopback(host);
  if (!out.loopback_only && host != bare_host(target_host))
    return bad(
        "is neither on this machine nor on the target's host, and nowhere else are metrics "
        "read; forward a port of this machine to it");
  return out;
}

}  // namespace plumb::prom_scrape
