#include "core/facts/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

namespace plumb::facts {
namespace {

std::optional<double> slope_of(const std::vector<double>& t, const std::vector<double>& v) {
  if (t.size() < 3) return std::nullopt;
  const double n = static_cast<double>(t.size());
  double mean_t = 0;
  double mean_v = 0;
  for (size_t i = 0; i < t.size(); ++i) {
    mean_t += t[i] / n;
    mean_v += v[i] / n;
  }
  double covariance = 0;
  double variance = 0;
  for (size_t i = 0; i < t.size(); ++i) {
    covariance += (t[i] - mean_t) * (v[i] - mean_v);
    variance += (t[i] - mean_t) * (t[i] - mean_t);
  }
  if (variance <= 0) return std::nullopt;
  return covariance / variance;
}

}  // namespace

std::optional<double> counter_growth(const store::SeriesData& series, const Window& window) {
  const auto& times = series.times_ns;
  const auto& values = series.values;
  double growth = 0;
  bool seen = false;
  const auto first = std::upper_bound(times.begin(), times.end(), window.start_ns);
  for (auto i = std::max<size_t>(static_cast<size_t>(first - times.begin()), 1); i < times.size();
       ++i) {
    if (times[i - 1] >= window.end_ns) break;
    const int64_t from = std::max(times[i - 1], window.start_ns);
    const int64_t to = std::min(times[i], window.end_ns);
    const int64_t span = times[i] - times[i - 1];
    if (to <= from || span <= 0) continue;
    const double step =
        values[i] >= values[i - 1] ? values[i] - values[i - 1] : std::max(values[i], 0.0);
    growth += step * static_cast<double>(to - from) / static_cast<double>(span);
    seen = true;
  }
  return seen ? std::optional(growth) : std::nullopt;
}

std::optional<GaugeStatistics> gauge_statistics(const store::SeriesData& series,
                                                const Window& window) {
  std::vector<double> times;
  std::vector<double> values;
  const auto first =
      std::lower_bound(series.times_ns.begin(), series.times_ns.end(), window.start_ns);
  for (auto i = static_cast<size_t>(first - series.times_ns.begin()); i < series.times_ns.size();
       ++i) {
    const int64_t t = series.times_ns[i];
    if (t > window.end_ns) break;
    times.push_back(static_cast<double>(t - window.start_ns) / 1e9);
    values.push_back(series.values[i]);
  }
  if (values.empty()) return std::nullopt;
  GaugeStatistics out;
  for (const double v : values) out.mean += v / static_cast<double>(values.size());
  out.last = values.back();
  out.slope = slope_of(times, values);
  std::sort(values.begin(), values.end());
  out.minimum = values.front();
  out.maximum = values.back();
  const auto rank = static_cast<size_t>(std::ceil(0.95 * static_cast<double>(values.size())));
  out.p95 = values[std::max<size_t>(rank, 1) - 1];
  return out;
}

int64_t middle_of(const HistogramRecord& record) {
  return record.start_ns + (record.end_ns - record.start_ns) / 2;
}

std::optional<Histogram> merged_histogram(const store::SeriesData& series, const Window& window) {
  std::optional<Histogram> merged;
  auto record = std::partition_point(
      series.histograms.begin(), series.histograms.end(),
      [&](const HistogramRecord& one) { return middle_of(one) < window.start_ns; });
  for (; record != series.histograms.end() && middle_of(*record) < window.end_ns; ++record) {
    if (!merged) merged.emplace(record->histogram.precision_bits());
    // A series of mixed precision is a plugin's mistake; what cannot be merged is left out.
    (void)merged->merge(record->histogram);
  }
  if (merged && merged->count() == 0) return std::nullopt;
  return merged;
}

std::vector<ResponseInterval> response_intervals(const store::RunData& run) {
  std::map<int64_t, ResponseInterval> by_end;
  for (const store::SeriesData& series : run.series) {
    if (series.info.name != "http_response_seconds") continue;
    const bool ok = label_of(series.info.labels, "outcome") == "ok";
    for (const HistogramRecord& record : series.histograms) {
      ResponseInterval& interval = by_end[record.end_ns];
      interval.start_ns = record.start_ns;
      interval.end_ns = record.end_ns;
      if (ok)
        (void)interval.ok.merge(record.histogram);
      else
        interval.failed += record.histogram.count();
    }
  }
  std::vector<ResponseInterval> out;
  for (auto& [end_ns, interval] : by_end) out.push_back(std::move(interval));
  return out;
}

}  // namespace plumb::facts
