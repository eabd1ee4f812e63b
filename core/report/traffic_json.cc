#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/facts/statistics.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostBars = 60;
constexpr size_t kMostIntervals = 600;

// Index of the column with that key, or -1.
ptrdiff_t column_of(const json& columns, const char* key) {
  if (!columns.is_array()) return -1;
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].is_object() && columns[i].contains("key") && columns[i]["key"] == key)
      return static_cast<ptrdiff_t>(i);
  return -1;
}

json errors_from_table(const TableRecord& table) {
  json out = json::array();
  const json parsed = json::parse(table.json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("columns") || !parsed.contains("rows")) return out;
  const json& rows = parsed["rows"];
  if (!rows.is_array()) return out;
  for (const json& row : rows) {
    if (!row.is_array()) continue;
    json error = json::object();
    for (const char* key : {"endpoint", "class", "status", "count", "example"}) {
      const ptrdiff_t at = column_of(parsed["columns"], key);
      const bool present = at >= 0 && static_cast<size_t>(at) < row.size() &&
                           row[static_cast<size_t>(at)].is_primitive();
      error[key] = present ? row[static_cast<size_t>(at)] : json();
    }
    if (error["status"].is_number()) error["status"] = error["status"].dump();
    for (const char* key : {"endpoint", "class", "status", "example"})
      if (!error[key].is_string()) error[key] = nullptr;
    if (!error["count"].is_number()) error["count"] = nullptr;
    out.push_back(std::move(error));
  }
  return out;
}

// Without the plugin's own table, the counters say how many, but give no example.
json errors_from_counters(const facts::FactSet& facts) {
  json out = json::array();
  for (const facts::Fact* fact : facts.all("http_requests_total.delta")) {
    const std::string error = label_of(fact->labels, "error");
    const std::string status = label_of(fact->labels, "status");
    const bool refused = status.size() == 3 && (status[0] == '4' || status[0] == '5');
    if (fact->value < 0.5 || (error.empty() && !refused)) continue;
    out.push_back({{"endpoint", label_of(fact->labels, "endpoint")},
                   {"class", error.empty() ? "status" : error},
                   {"status", status},
                   {"count", std::round(fact->value)},
                   {"example", nullptr}});
  }
  return out;
}

// Edges of at most kMostBars bars from `low` to `high`, all of one ratio.
std::vector<double> logarithmic_edges(double low, double high) {
  for (const double per_decade : {40.0, 20.0, 10.0, 5.0, 2.0, 1.0}) {
    const double first = std::floor(std::log10(low) * per_decade);
    const double last = std::floor(std::log10(high) * per_decade) + 1;
    if (last - first > static_cast<double>(kMostBars)) continue;
    std::vector<double> edges;
    for (double i = first; i <= last; ++i) edges.push_back(std::pow(10.0, i / per_decade));
    return edges;
  }
  return {low, high};
}

// How many values of the histogram, in nanoseconds, lie between two edges, in milliseconds.
std::vector<double> counts_between(const std::vector<double>& edges, const Histogram& h) {
  std::vector<double> counts(edges.size() - 1, 0.0);
  for (const plumb_bucket& bucket : h.buckets()) {
    const uint32_t bits = h.precision_bits();
    const double ms = (static_cast<double>(Histogram::lower_bound_of(bucket.index, bits)) +
                       static_cast<double>(Histogram::width_of(bucket.index, bits)) / 2) /
                      1e6;
    const auto above = std::upper_bound(edges.begin(), edges.end(), ms);
    const auto bar = std::clamp<ptrdiff_t>(above - edges.begin() - 1, 0,
                                           static_cast<ptrdiff_t>(counts.size()) - 1);
    counts[static_cast<size_t>(bar)] += static_cast<double>(bucket.count);
  }
  return counts;
}

std::vector<double> edges_of(const Histogram& h) {
  const double low = std::max<double>(static_cast<double>(h.minimum()), 1e3) / 1e6;
  const double high = std::max(low * 1.0001, static_cast<double>(h.maximum()) / 1e6);
  return logarithmic_edges(low, high);
}

// Neighbours together, where a long run has more than a report should hold.
std::vector<facts::ResponseInterval> few_intervals(const store::RunData& run) {
  std::vector<facts::ResponseInterval> all = facts::response_intervals(run);
  const size_t together = all.size() / kMostIntervals + 1;
  std::vector<facts::ResponseInterval> out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % together == 0) {
      out.push_back(std::move(all[i]));
      continue;
    }
    out.back().end_ns = all[i].end_ns;
    (void)out.back().ok.merge(all[i].ok);
    out.back().failed += all[i].failed;
  }
  return out;
}

}  // namespace

json latency_intervals_json(const store::RunData& run) {
  const std::vector<facts::ResponseInterval> intervals = few_intervals(run);
  Histogram all;
  for (const facts::ResponseInterval& interval : intervals) (void)all.merge(interval.ok);
  json out = {{"edges_ms", json::array()}, {"intervals", json::array()}};
  if (all.count() == 0) return out;
  const std::vector<double> edges = edges_of(all);
  for (const double edge : edges) out["edges_ms"].push_back(six_digits(edge));
  for (const facts::ResponseInterval& interval : intervals) {
    json one = span(run, interval.start_ns, interval.end_ns);
    one["failed"] = interval.failed;
    one["counts"] = counts_between(edges, interval.ok);
    out["intervals"].push_back(std::move(one));
  }
  return out;
}

json endpoints_json(const facts::FactSet& facts) {
  json out = json::array();
  for (const facts::Fact* count : facts.all("requests.count")) {
    if (count->labels.empty()) continue;
    const Labels& labels = count->labels;
    json endpoint = {{"endpoint", label_of(labels, "endpoint")},
                     {"requests", count->value},
                     {"rate", or_null(facts.value("requests.rate", labels))},
                     {"failed", or_null(facts.value("requests.failed", labels))},
                     {"error_rate", or_null(facts.value("requests.error_rate", labels))}};
    for (const char* statistic : {"mean", "p50", "p90", "p95", "p99", "p999", "max"}) {
      std::optional<double> value = facts.value(std::string("latency.") + statistic, labels);
      if (value) *value *= 1e3;
      endpoint[std::string(statistic) + "_ms"] = or_null(value);
    }
    out.push_back(std::move(endpoint));
  }
  return out;
}

json errors_json(const store::RunData& run, const facts::FactSet& facts) {
  for (const TableRecord& table : run.tables)
    if (table.name == "http_errors") return errors_from_table(table);
  return errors_from_counters(facts);
}

json latency_histogram_json(const store::RunData& run) {
  json out = json::array();
  const auto window = facts::steady_window(run);
  if (!window) return out;
  std::optional<Histogram> all;
  for (const store::SeriesData& series : run.series) {
    if (series.info.name != "http_response_seconds" ||
        label_of(series.info.labels, "outcome") != "ok")
      continue;
    const auto h = facts::merged_histogram(series, *window);
    if (!h) continue;
    if (!all)
      all = *h;
    else
      (void)all->merge(*h);
  }
  if (!all || all->count() == 0) return out;

  const std::vector<double> edges = edges_of(*all);
  const std::vector<double> counts = counts_between(edges, *all);
  for (size_t i = 0; i < counts.size(); ++i)
    out.push_back({{"from_ms", six_digits(edges[i])},
                   {"to_ms", six_digits(edges[i + 1])},
                   {"count", counts[i]}});
  return out;
}

}  // namespace plumb::report
