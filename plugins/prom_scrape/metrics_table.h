// Table scraped_metrics: every metric that the target exposed, what it became, and what was left
// out with the reason.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_METRICS_TABLE_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_METRICS_TABLE_H_

#include <string>

#include "plugins/prom_scrape/scraped_series.h"

namespace plumb::prom_scrape {

// The table's JSON; at most kMostTableRows metrics, those that are kept first.
inline constexpr size_t kMostTableRows = 1'000;
std::string metrics_table(const ScrapedSeries& scraped);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_METRICS_TABLE_H_
