#include "core/serve/daemon_metrics.h"

#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace plumb::serve {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,   0.25,   0.5,   1,    2.5,   10};

ClientMetric gauge(double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

ClientMetric counter(double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  return metric;
}

MetricFamily family(std::string name, std::string help, MetricType type,
                    std::vector<ClientMetric> metrics) {
  return {std::move(name), std::move(help), type, std::move(metrics)};
}

void add_number(std::vector<ClientMetric>& out, const nlohmann::json& numbers, const char* key,
                std::vector<ClientMetric::Label> labels = {}) {
  if (const auto at = numbers.find(key); at != numbers.end() && at->is_number()) {
    out.push_back(gauge(at->get<double>(), std::move(labels)));
  }
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

DaemonMetrics::DaemonMetrics(const RunService& runs)
    : runs_(runs),
      requests_(prometheus::BuildCounter()
                    .Name("plumb_http_requests_total")
                    .Help("Requests answered by plumbd")
                    .Register(registry_)),
      durations_(prometheus::BuildHistogram()
                     .Name("plumb_http_request_duration_seconds")
                     .Help("From a request's first byte to the end of its answer; of event "
                           "streams, to their begin")
                     .Register(registry_)) {}

void DaemonMetrics::request_answered(const std::string& route, int status,
                                     std::chrono::nanoseconds took) {
  const std::string label = route.empty() ? "none" : route;
  requests_.Add({{"route", label}, {"code", std::to_string(status)}}).Increment();
  durations_.Add({{"route", label}}, kSeconds).Observe(std::chrono::duration<double>(took).count());
}

std::vector<MetricFamily> DaemonMetrics::run_families() const {
  std::vector<MetricFamily> out;
  const auto totals = runs_.totals();
  std::vector<ClientMetric> ended;
  for (const auto state :
       {store::RunState::kFinished, store::RunState::kInterrupted, store::RunState::kFailed}) {
    const auto at = totals.find(state);
    ended.push_back(counter(at == totals.end() ? 0 : static_cast<double>(at->second),
                            {{"state", std::string(store::run_state_name(state))}}));
  }
  out.push_back(family("plumb_runs_total", "Runs that have ended", MetricType::Counter, ended));
  const auto live = runs_.live();
  out.push_back(family("plumb_run_in_progress", "1 while a run goes on", MetricType::Gauge,
                       {gauge(live ? 1 : 0)}));
  if (!live) return out;

  std::vector<ClientMetric> rate;
  add_number(rate, live->numbers, "requests_per_second");
  if (!rate.empty()) {
    out.push_back(family("plumb_run_requests_per_second",
                         "Requests completed per second in the run's last second",
                         MetricType::Gauge, rate));
  }
  std::vector<ClientMetric> response;
  if (const auto at = live->numbers.find("response_seconds"); at != live->numbers.end()) {
    add_number(response, *at, "p50", {{"quantile", "0.5"}});
    add_number(response, *at, "p95", {{"quantile", "0.95"}});
    add_number(response, *at, "p99", {{"quantile", "0.99"}});
  }
  if (!response.empty()) {
    out.push_back(family("plumb_run_response_seconds",
                         "Response time of the requests completed in the run's last second",
                         MetricType::Gauge, response));
  }
  return out;
}

std::vector<MetricFamily> DaemonMetrics::process_families() const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {family("process_cpu_seconds_total", "Processor time of plumbd", MetricType::Counter,
                 {counter(seconds(usage.ru_utime) + seconds(usage.ru_stime))}),
          family("process_resident_memory_bytes", "Resident memory of plumbd", MetricType::Gauge,
                 {gauge(resident_bytes())})};
}

std::string DaemonMetrics::text() const {
  std::vector<MetricFamily> families = registry_.Collect();
  for (auto more : {run_families(), process_families()}) {
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace plumb::serve
