// The table of metrics that common libraries give the same meaning everywhere: which of plumb's own
// quantities each of them is.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_STANDARD_METRICS_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_STANDARD_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugins/prom_scrape/exposition.h"

namespace plumb::prom_scrape {

enum class Quantity : uint8_t {
  kRequestsInFlight,
  kPoolInUse,
  kPoolIdle,
  kPoolSize,  // in use and idle together
  kPoolLimit,
  kPoolWaiting,
  kPoolWaitSeconds,
  kWorkersBusy,
  kWorkersLimit,
  kWorkersWaiting,
  kCacheHits,
  kCacheMisses,
  kGcSeconds,
  kEventLoopLag,
};

// Which resource a row is about; decides the layer of its series.
enum class Scope : uint8_t { kApp, kDatabase, kDownstream };

struct StandardMetric {
  const char* sample;  // the sample's name, its suffix included
  Quantity quantity;
  Scope scope;
  const char* source;  // for people: which library says so
  double scale = 1;    // a scraped value times this is requests, connections or seconds
  const char* instance =
      nullptr;  // the label that names the pool or cache; none: there is one only
  const char* only_label = nullptr;  // the row holds only where this label has this value
  const char* only_value = nullptr;
};

std::span<const StandardMetric> standard_metrics();

// The row of the table that a sample matches, as its index. Rows of one quantity stand in the order
// in which they are believed: of several that are there, the first.
std::optional<size_t> recognise(std::string_view sample, const MetricLabels& labels);

// The pool or cache that a sample of this row is about; "default" where no label names it.
std::string instance_of(const StandardMetric& row, const MetricLabels& labels);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_STANDARD_METRICS_H_
