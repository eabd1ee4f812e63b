// How a scraped metric is called among plumb's series: "scraped_" before its own name, in lower
// case, every character that plumb's names lack as '_', "_total" after a counter's. A name that
// ends in milliseconds, microseconds or nanoseconds ends in seconds then, and so do its values.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_SERIES_NAMING_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_SERIES_NAMING_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "plugins/prom_scrape/exposition.h"

namespace plumb::prom_scrape {

// What plumb takes of one series.
inline constexpr size_t kMostNameBytes = 128;
inline constexpr size_t kMostLabels = 16;
inline constexpr size_t kMostLabelNameBytes = 64;
// Longer values are cut: they are ids and paths by then, and are paid for in every fact.
inline constexpr size_t kMostLabelValueBytes = 200;

struct SeriesName {
  std::string name;
  std::string unit;  // "seconds", "bytes", "ratio", what the metric declares, or "1"
  double scale = 1;  // a scraped value times this is in `unit`
};

// `metric` is what stands in the TYPE line, or the sample's own name. `unit` is what a UNIT line
// declares, or empty. The name may be longer than kMostNameBytes: then there is no such series.
SeriesName series_name(std::string_view metric, bool counter, std::string_view unit);

// The labels as plumb takes them, sorted: names as above (with an "l" before one that begins with
// '_'), values as plain text. Returns nullptr, or why this series cannot be kept.
const char* series_labels(const MetricLabels& from, MetricLabels& out);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_SERIES_NAMING_H_
