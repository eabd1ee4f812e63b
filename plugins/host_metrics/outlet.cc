#include "plugins/host_metrics/outlet.h"

#include <cmath>

namespace plumb::host_metrics {

namespace {

constexpr uint32_t kCounter = PLUMB_KIND_COUNTER;
constexpr uint32_t kGauge = PLUMB_KIND_GAUGE;
constexpr uint32_t kHost = PLUMB_LAYER_HOST;
constexpr uint32_t kNetwork = PLUMB_LAYER_NETWORK;
constexpr uint32_t kApp = PLUMB_LAYER_APP;
constexpr uint32_t kDownstream = PLUMB_LAYER_DOWNSTREAM;
constexpr uint32_t kNone = PLUMB_PART_NONE;
constexpr uint32_t kUtilisation = PLUMB_PART_UTILISATION;
constexpr uint32_t kSaturation = PLUMB_PART_SATURATION;
constexpr uint32_t kErrors = PLUMB_PART_ERRORS;
constexpr uint32_t kWait = PLUMB_PART_WAIT;
constexpr uint32_t kBusy = PLUMB_PART_BUSY;

constexpr Metric kMetrics[] = {
    {"host_cpus", "1", kGauge, kHost, kNone, "processors this machine offers"},
    {"host_cpu_busy_ratio", "ratio", kGauge, kHost, kUtilisation,
     "share of all processors in use or stolen, over the last second"},
    {"host_cpu_seconds_total", "seconds", kCounter, kHost, kNone, "processor time by mode"},
    {"host_runnable", "1", kGauge, kHost, kSaturation,
     "tasks running or waiting for a processor, mean over the last second, this sampler left out"},
    {"host_pressure_seconds_total", "seconds", kCounter, kHost, kSaturation,
     "time in which some or all tasks waited for the resource (PSI)"},
    {"host_memory_total_bytes", "bytes", kGauge, kHost, kNone, "memory of this machine"},
    {"host_memory_available_bytes", "bytes", kGauge, kHost, kNone,
     "memory that can be had without swapping"},
    {"host_swap_used_bytes", "bytes", kGauge, kHost, kSaturation, "swap in use"},
    {"host_disk_busy_seconds_total", "seconds", kCounter, kHost, kBusy,
     "time in which the disk had work"},
    {"host_disk_read_bytes_total", "bytes", kCounter, kHost, kNone, "bytes read from the disk"},
    {"host_disk_written_bytes_total", "bytes", kCounter, kHost, kNone, "bytes written to the disk"},
    {"host_disk_operations_total", "operations", kCounter, kHost, kNone,
     "reads and writes the disk completed"},
    {"host_network_received_bytes_total", "bytes", kCounter, kNetwork, kNone,
     "bytes the interface received"},
    {"host_network_sent_bytes_total", "bytes", kCounter, kNetwork, kNone,
     "bytes the interface sent"},
    {"host_network_drops_total", "packets", kCounter, kNetwork, kErrors,
     "packets the interface dropped, both directions"},
    {"host_tcp_retransmits_total", "segments", kCounter, kNetwork, kErrors,
     "TCP segments sent again"},
    {"host_tcp_listen_overflows_total", "connections", kCounter, kNetwork, kErrors,
     "connections refused because an accept queue was full"},
    {"target_processes", "1", kGauge, kApp, kNone, "processes of the target, children included"},
    {"target_threads", "1", kGauge, kApp, kNone, "threads of the target"},
    {"target_descriptors", "1", kGauge, kApp, kNone, "open descriptors of the target"},
    {"target_resident_bytes", "bytes", kGauge, kApp, kNone, "resident memory of the target"},
    {"target_cpu_seconds_total", "seconds", kCounter, kApp, kBusy,
     "time the target's threads were on a processor"},
    {"target_runqueue_seconds_total", "seconds", kCounter, kApp, kWait,
     "time the target's threads could run and waited for a processor"},
    {"target_busiest_thread_ratio", "ratio", kGauge, kApp, kUtilisation,
     "processor share of the busiest single thread in the last second"},
    {"target_runnable_threads", "1", kGauge, kApp, kNone,
     "threads that used more than 5% of a processor in the last second"},
    {"target_disk_waiting", "1", kGauge, kApp, kWait,
     "threads in uninterruptible sleep at an instant, mean over the last second"},
    {"target_read_bytes_total", "bytes", kCounter, kApp, kNone,
     "bytes the target had read from storage"},
    {"target_written_bytes_total", "bytes", kCounter, kApp, kNone,
     "bytes the target had written to storage"},
    {"target_context_switches_total", "switches", kCounter, kApp, kNone,
     "context switches of the target's threads"},
    {"others_cpu_seconds_total", "seconds", kCounter, kHost, kNone,
     "processor time of everything that is neither the target nor plumb nor a database server"},
    {"downstream_awaiting", "1", kGauge, kDownstream, kWait,
     "outbound connections of the target that await a reply, mean over the last second"},
    {"downstream_sockets", "1", kGauge, kDownstream, kNone,
     "outbound connections of the target to the peer"},
};

}  // namespace

std::span<const Metric> all_metrics() { return kMetrics; }

Outlet::Entry* Outlet::entry(std::string_view name, Labels labels) {
  key_.assign(name);
  for (const auto& [label, value] : labels) key_.append(1, '\0').append(value);
  const auto it = entries_.find(key_);
  if (it != entries_.end()) return &it->second;

  Entry& fresh = entries_[key_];
  for (const Metric& metric : kMetrics) {
    if (name == metric.name) fresh.metric = &metric;
  }
  if (fresh.metric == nullptr) {
    fresh.refused = true;
    return &fresh;
  }
  SeriesSpec spec;
  spec.name = fresh.metric->name;
  spec.unit = fresh.metric->unit;
  spec.kind = fresh.metric->kind;
  spec.layer = fresh.metric->layer;
  spec.part = fresh.metric->part;
  spec.help = fresh.metric->help;
  for (const auto& [label, value] : labels) spec.labels.emplace_back(label, value);
  const Result<Series> series = host_.declare(spec);
  if (series) {
    fresh.series = series.value();
  } else {
    fresh.refused = true;
    host_.log(PLUMB_WARNING, series.status().message());
  }
  return &fresh;
}

void Outlet::add(std::string_view name, int64_t time_ns, double value, Labels labels) {
  if (!std::isfinite(value)) return;
  Entry* e = entry(name, labels);
  if (e->refused) return;
  if (e->metric->kind == kCounter) {
    const auto total = e->total.add(value);
    if (!total) return;
    value = *total;
  }
  batch_.push_back({e->series.id, 0, time_ns, value});
}

void Outlet::flush() {
  if (batch_.empty()) return;
  const Status status = host_.emit(batch_);
  if (!status) host_.log(PLUMB_DEBUG, status.message());
  batch_.clear();
}

}  // namespace plumb::host_metrics
