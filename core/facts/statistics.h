// Statistics of one series over a window. Pure functions; an empty answer means that the series
// says nothing about the window.
#ifndef PLUMB_CORE_FACTS_STATISTICS_H_
#define PLUMB_CORE_FACTS_STATISTICS_H_

#include <optional>
#include <vector>

#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::facts {

// Growth of a counter within the window, in its unit. Between two samples it grows linearly; a
// counter that falls has restarted from zero. Empty with fewer than two samples near the window.
std::optional<double> counter_growth(const store::SeriesData& series, const Window& window);

struct GaugeStatistics {
  double mean = 0;
  double minimum = 0;
  double maximum = 0;
  double p95 = 0;
  double last = 0;
  std::optional<double> slope;  // per second, least squares; empty below three samples
};
std::optional<GaugeStatistics> gauge_statistics(const store::SeriesData& series,
                                                const Window& window);

// An interval belongs to the window that its middle lies in, so that of windows beside each other
// one has it: the load plugin cuts intervals where stages end, but by its own reading of the clock.
int64_t middle_of(const HistogramRecord& record);

// The records that belong to the window, merged. Empty when there are none or none has a value.
std::optional<Histogram> merged_histogram(const store::SeriesData& series, const Window& window);

// The responses of one recorded interval, of all endpoints.
struct ResponseInterval {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  Histogram ok;  // in nanoseconds
  uint64_t failed = 0;
};
// All of the run, in order of their end.
std::vector<ResponseInterval> response_intervals(const store::RunData& run);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_STATISTICS_H_
