// The metrics that a target exposes: what its pages say of each (type, help, unit), and which of
// them a sample belongs to, by name and suffix. Bounded; not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_METRIC_FAMILIES_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_METRIC_FAMILIES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plugins/prom_scrape/exposition.h"

namespace plumb::prom_scrape {

struct MetricFamily {
  std::string name;
  MetricType type = MetricType::kUnknown;
  bool typed = false;  // a TYPE line was there
  std::string help;    // plain text, cut
  std::string unit;
  // What became of it, for people.
  std::string series;           // what its series are called in plumb; empty: none is kept
  size_t kept = 0;              // series
  size_t left_out = 0;          // lines or series
  const char* why = nullptr;    // the reason of the last one left out
  std::optional<double> first;  // sum over its series at the first page that had it
};

// What a sample says of its metric.
enum class SamplePart : uint8_t {
  kPlain,    // a gauge's value, a summary's quantile
  kTotal,    // a counter's value
  kCreated,  // when the counting began
  kBucket,
  kCount,
  kSum,
  kGaugeCount,  // of a gauge histogram, as kGaugeSum
  kGaugeSum,
  kInfo,
};

class MetricFamilies {
 public:
  static constexpr size_t kMost = 10'000;
  static constexpr size_t kMostNameBytes = size_t{1} << 20;  // of all their names
  static constexpr size_t kMostHelpBytes = 160;

  // The first TYPE, HELP and UNIT of a metric count; a type that changes later is only noted.
  void set_type(std::string_view metric, MetricType type);
  void set_help(std::string_view metric, std::string_view escaped);
  void set_unit(std::string_view metric, std::string_view unit);

  struct Place {
    uint32_t family;
    SamplePart part;
  };
  // Where a sample of this name belongs; nothing beyond the bounds above. One that no TYPE line
  // announced is a counter if it ends in _total, else a gauge.
  std::optional<Place> place(std::string_view sample);

  MetricFamily& at(uint32_t family) { return families_[family]; }
  const std::deque<MetricFamily>& all() const { return families_; }
  // The first metric whose type changed, or empty.
  const std::string& retyped() const { return retyped_; }

 private:
  std::optional<uint32_t> find(std::string_view name) const;
  std::optional<uint32_t> find_or_add(std::string_view name);
  std::optional<Place> place_by_suffix(std::string_view sample) const;
  std::optional<uint32_t> counting(std::string_view base) const;

  std::deque<MetricFamily> families_;
  std::unordered_map<std::string_view, uint32_t> by_name_;  // points into families_
  size_t name_bytes_ = 0;
  std::string retyped_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_METRIC_FAMILIES_H_
