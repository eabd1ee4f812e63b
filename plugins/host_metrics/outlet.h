// Where samples leave the plugin: declares each series at its first sample, keeps counters from
// falling, and sends one batch per instant. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_OUTLET_H_
#define PLUMB_PLUGINS_HOST_METRICS_OUTLET_H_

#include <plumb/plugin.hpp>

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugins/host_metrics/monotonic.h"

namespace plumb::host_metrics {

// One name of docs/signals.md: the only place that says its unit, kind, layer and part.
struct Metric {
  const char* name;
  const char* unit;
  uint32_t kind;
  uint32_t layer;
  uint32_t part;
  const char* help;
};
std::span<const Metric> all_metrics();

class Outlet {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit Outlet(Host host) : host_(host) {}

  // `name` is one of all_metrics(). A value that is not finite, or a counter's that must be
  // skipped, adds nothing. `time_ns` may not be smaller than in an earlier call.
  void add(std::string_view name, int64_t time_ns, double value, Labels labels = {});
  template <typename T>
  void add_known(std::string_view name, int64_t time_ns, const std::optional<T>& value,
                 Labels labels = {}) {
    if (value) add(name, time_ns, static_cast<double>(*value), labels);
  }
  // Sends what was added. The host counts what it drops, so a refusal is no failure of the sampler.
  void flush();

 private:
  struct Entry {
    const Metric* metric = nullptr;
    bool refused = false;
    Series series;
    MonotonicTotal total;
  };
  Entry* entry(std::string_view name, Labels labels);

  Host host_;
  std::unordered_map<std::string, Entry> entries_;
  std::string key_;
  std::vector<plumb_sample> batch_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_OUTLET_H_
