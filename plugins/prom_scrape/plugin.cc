// The plugin's entry: its option table and its one export.
#include <plumb/plugin.hpp>

#include "plugins/prom_scrape/prom_scrape.h"

namespace {

using plumb::prom_scrape::PromScrape;

constexpr const char* kNeeds[] = {"network", nullptr};

constexpr plumb_option kOptions[] = {
    plumb::option({.key = "url",
                   .help = "Where the metrics are: a path on the target, or an address on its host "
                           "or this machine; /metrics on the target unless given."}),
    plumb::option({.key = "include",
                   .help = "Comma-separated patterns of metric names to keep, with * and ?; all "
                           "unless given."}),
    plumb::option({.key = "exclude",
                   .help = "Comma-separated patterns of metric names to leave out, with * and ?."}),
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "max_series",
                   .unit = "series",
                   .default_value = "500",
                   .minimum = "0",
                   .maximum = "5000",
                   .help = "How many scraped series are kept."}),
    plumb::option({.type = PLUMB_OPTION_DURATION,
                   .key = "timeout",
                   .default_value = "2s",
                   .minimum = "50ms",
                   .maximum = "30s",
                   .help = "How long a scrape may take."}),
    plumb::option(
        {.key = "bearer_token", .secret = true, .help = "Sent as Authorization: Bearer."}),
    plumb::option({.key = "header",
                   .secret = true,
                   .help = "A header to send with each scrape, as Name: value."}),
};

}  // namespace

PLUMB_PLUGIN(PromScrape,
             {.name = "prom_scrape",
              .version = "0.1.0",
              .summary = "What the target says of itself at its Prometheus or OpenMetrics endpoint",
              .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]),
              .default_interval_ns = 1'000'000'000,
              .needs = kNeeds})
