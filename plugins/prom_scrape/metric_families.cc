#include "plugins/prom_scrape/metric_families.h"

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

struct Suffix {
  std::string_view text;
  SamplePart part;
};
constexpr Suffix kSuffixes[] = {
    {"_total", SamplePart::kTotal},   {"_created", SamplePart::kCreated},
    {"_bucket", SamplePart::kBucket}, {"_count", SamplePart::kCount},
    {"_sum", SamplePart::kSum},       {"_gcount", SamplePart::kGaugeCount},
    {"_gsum", SamplePart::kGaugeSum}, {"_info", SamplePart::kInfo},
};

bool is_counting(MetricType type) {
  return type == MetricType::kCounter || type == MetricType::kHistogram ||
         type == MetricType::kSummary;
}

// Whether a metric of this type has samples with this suffix.
bool has_part(MetricType type, SamplePart part) {
  switch (part) {
    case SamplePart::kTotal:
      return type == MetricType::kCounter;
    case SamplePart::kCreated:
      return is_counting(type);
    case SamplePart::kBucket:
      return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
    case SamplePart::kCount:
    case SamplePart::kSum:
      return type == MetricType::kHistogram || type == MetricType::kSummary;
    case SamplePart::kGaugeCount:
    case SamplePart::kGaugeSum:
      return type == MetricType::kGaugeHistogram;
    case SamplePart::kInfo:
      return type == MetricType::kInfo;
    case SamplePart::kPlain:
      break;
  }
  return false;
}

// What a sample of the metric's own name says.
SamplePart part_of_own_name(const MetricFamily& family) {
  if (family.type == MetricType::kCounter) return SamplePart::kTotal;
  const bool gauge = family.type == MetricType::kGauge || family.type == MetricType::kUnknown;
  if (!family.typed && family.name.ends_with("_total")) return SamplePart::kTotal;
  // Format 0.0.4 has no type for what OpenMetrics calls info: a gauge that is 1 for good.
  if (family.type == MetricType::kInfo || (gauge && family.name.ends_with("_info")))
    return SamplePart::kInfo;
  return SamplePart::kPlain;
}

}  // namespace

std::optional<uint32_t> MetricFamilies::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<uint32_t> MetricFamilies::find_or_add(std::string_view name) {
  if (const auto known = find(name)) return known;
  if (families_.size() >= kMost || name_bytes_ + name.size() > kMostNameBytes) return std::nullopt;
  name_bytes_ += name.size();
  MetricFamily& fresh = families_.emplace_back();
  fresh.name = name;
  const auto id = static_cast<uint32_t>(families_.size() - 1);
  by_name_.emplace(fresh.name, id);
  return id;
}

void MetricFamilies::set_type(std::string_view metric, MetricType type) {
  const auto id = find_or_add(metric);
  if (!id) return;
  MetricFamily& family = families_[*id];
  if (!family.typed) {
    family.type = type;
    family.typed = true;
  } else if (family.type != type && retyped_.empty()) {
    retyped_ = plain_text(metric, 80);
  }
}

void MetricFamilies::set_help(std::string_view metric, std::string_view escaped) {
  const auto id = find_or_add(metric);
  if (!id || !families_[*id].help.empty()) return;
  // Cut before it is unescaped: a help of megabytes costs no more than what is kept of it.
  families_[*id].help =
      plain_text(unescape_help(escaped.substr(0, 4 * kMostHelpBytes)), kMostHelpBytes);
}

void MetricFamilies::set_unit(std::string_view metric, std::string_view unit) {
  const auto id = find_or_add(metric);
  if (id && families_[*id].unit.empty()) families_[*id].unit = plain_text(unit, 32);
}

// The counter, histogram or summary that is called `base`, with "_total" behind it or without.
std::optional<uint32_t> MetricFamilies::counting(std::string_view base) const {
  for (const std::string& name : {std::string(base), std::string(base) + "_total"})
    if (const auto id = find(name); id && is_counting(families_[*id].type)) return id;
  return std::nullopt;
}

std::optional<MetricFamilies::Place> MetricFamilies::place_by_suffix(
    std::string_view sample) const {
  for (const Suffix& suffix : kSuffixes) {
    if (!sample.ends_with(suffix.text)) continue;
    const std::string_view base = sample.substr(0, sample.size() - suffix.text.size());
    // The Python client announces "_created" as a gauge of its own in format 0.0.4.
    if (suffix.part == SamplePart::kCreated) {
      if (const auto id = counting(base)) return Place{*id, suffix.part};
      continue;
    }
    const auto id = find(base);
    if (id && has_part(families_[*id].type, suffix.part)) return Place{*id, suffix.part};
  }
  return std::nullopt;
}

std::optional<MetricFamilies::Place> MetricFamilies::place(std::string_view sample) {
  const auto own = find(sample);
  if (const auto placed = place_by_suffix(sample)) {
    const bool announced = own && families_[*own].typed;
    if (!announced || placed->part == SamplePart::kCreated) return placed;
  }
  const auto id = own ? own : find_or_add(sample);
  if (!id) return std::nullopt;
  return Place{*id, part_of_own_name(families_[*id])};
}

}  // namespace plumb::prom_scrape
