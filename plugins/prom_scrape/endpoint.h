// Where the metrics are: the address made of the plan's target and the option `url`, and whether
// plumb may ask there.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_ENDPOINT_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_ENDPOINT_H_

#include <plumb/status.hpp>

#include <string>
#include <string_view>

namespace plumb::prom_scrape {

struct Endpoint {
  std::string url;
  std::string shown;  // for people: plain text, without a query, which may hold a secret
  // The host's name says this machine: nothing else may be connected to, whatever it resolves to.
  bool loopback_only = false;
};

// `target_url` and `target_host` are the plan's. `url` is an address, or a path on the target
// ("/actuator/prometheus"); empty: /metrics on the target. INVALID_ARGUMENT says what is wrong with
// them. Metrics are read from this machine and from the target's host, which the plan allows, and
// from nowhere else: a plan may come from somebody who must not make plumb ask around. Over http or
// https, and no address holds credentials.
Result<Endpoint> endpoint_from(std::string_view target_url, std::string_view target_host,
                               std::string_view url);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_ENDPOINT_H_
