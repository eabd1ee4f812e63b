// What the daemon says of itself to Prometheus.
#ifndef PLUMB_CORE_SERVE_DAEMON_METRICS_H_
#define PLUMB_CORE_SERVE_DAEMON_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/serve/run_service.h"

namespace plumb::serve {

// Safe to use from several threads. `runs` must outlive it.
class DaemonMetrics {
 public:
  explicit DaemonMetrics(const RunService& runs);

  // `route` is a pattern such as /api/v1/runs/{id}, so that there are few of them.
  void request_answered(const std::string& route, int status, std::chrono::nanoseconds took);
  // In the text format 0.0.4. A live figure that is not known is absent.
  std::string text() const;

 private:
  std::vector<prometheus::MetricFamily> run_families() const;
  std::vector<prometheus::MetricFamily> process_families() const;

  const RunService& runs_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_DAEMON_METRICS_H_
