#include "plugins/host_metrics/outlet.h"

#include <cmath>

namespace plumb::host_metrics {

Outlet::Entry* Outlet::entry(std::string_view name, Labels labels) {
  key_.assign(name);
  for (const auto& [label, value] : labels) key_.append(1, '\0').append(value);
  const auto it = entries_.find(key_);
  if (it != entries_.end()) return &it->second;

  Entry& fresh = entries_[key_];
  for (const Metric& metric : all_metrics()) {
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
  if (e->metric->kind == PLUMB_KIND_COUNTER) {
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
