#include "plugins/prom_scrape/series_naming.h"

#include <algorithm>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

constexpr std::string_view kPrefix = "scraped_";
constexpr std::string_view kTotal = "_total";

// "_us" and "_ns" are no such endings: they stand for other things as often.
struct TimeEnding {
  std::string_view ending;
  double seconds;
};
constexpr TimeEnding kTimeEndings[] = {
    {"_milliseconds", 1e-3}, {"_millis", 1e-3},      {"_ms", 1e-3},    {"_microseconds", 1e-6},
    {"_micros", 1e-6},       {"_nanoseconds", 1e-9}, {"_nanos", 1e-9},
};

void append_lower(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    out += kept ? c : upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
}

bool is_unit_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string unit_of(std::string_view name, std::string_view declared) {
  for (const std::string_view unit : {"seconds", "bytes", "ratio"})
    if (name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_')
      return std::string(unit);
  return is_unit_word(declared) ? std::string(declared) : "1";
}

}  // namespace

SeriesName series_name(std::string_view metric, bool counter, std::string_view unit) {
  SeriesName out{std::string(kPrefix), "1", 1};
  if (counter && metric.ends_with(kTotal)) metric.remove_suffix(kTotal.size());
  append_lower(metric, out.name);
  for (const TimeEnding& time : kTimeEndings) {
    if (!out.name.ends_with(time.ending)) continue;
    out.name.replace(out.name.size() - time.ending.size(), std::string::npos, "_seconds");
    out.scale = time.seconds;
    break;
  }
  out.unit = unit_of(out.name, unit);
  if (counter) out.name += kTotal;
  return out;
}

const char* series_labels(const MetricLabels& from, MetricLabels& out) {
  out.clear();
  if (from.size() > kMostLabels) return "more than 16 labels";
  for (const auto& [name, value] : from) {
    std::string mapped = name.starts_with('_') ? "l" : "";
    append_lower(name, mapped);
    if (mapped.size() > kMostLabelNameBytes) return "a label's name of more than 64 bytes";
    out.emplace_back(std::move(mapped), plain_text(value, kMostLabelValueBytes));
  }
  std::sort(out.begin(), out.end());
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(out.begin(), out.end(), same) != out.end())
    return "two labels of one name";
  return nullptr;
}

}  // namespace plumb::prom_scrape
