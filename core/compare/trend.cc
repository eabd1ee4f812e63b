#include "core/compare/trend.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/number_text.h"
#include "core/compare/comparison_text.h"

namespace plumb::compare {
namespace {

constexpr double kSmallest = 1e-9;

// Of each figure: where it stands, whether more of it is better, how it is compared.
struct Figure {
  const char* name;
  const char* unit;
  std::optional<double> HistoryRun::*value;
  bool higher_is_better;
};
constexpr Figure kFigures[] = {{"p50", "seconds", &HistoryRun::p50_s, false},
                               {"p95", "seconds", &HistoryRun::p95_s, false},
                               {"p99", "seconds", &HistoryRun::p99_s, false},
                               {"rate", "requests/s", &HistoryRun::rate, true},
                               {"error_rate", "ratio", &HistoryRun::error_rate, false}};

bool is_share(const Figure& figure) { return std::string_view(figure.unit) == "ratio"; }

bool is_large(const Figure& figure, double before, double after, const TrendOptions& options) {
  if (is_share(figure)) return std::fabs(after - before) >= options.least_error_rate;
  return std::fabs(after - before) >= options.least_relative * std::fabs(before);
}

void find_changes(const Figure& figure, const TrendOptions& options, Trend& trend) {
  std::vector<double> series;
  std::vector<size_t> places;
  for (size_t i = 0; i < trend.runs.size(); ++i) {
    const auto& value = trend.runs[i].*figure.value;
    if (!trend.runs[i].valid || !value) continue;
    series.push_back(is_share(figure) ? *value : std::log(std::max(*value, kSmallest)));
    places.push_back(i);
  }
  for (const facts::ChangePoint& point : facts::change_points(series, options.points)) {
    const double before = is_share(figure) ? point.before : std::exp(point.before);
    const double after = is_share(figure) ? point.after : std::exp(point.after);
    if (!is_large(figure, before, after, options)) continue;
    const size_t place = places[point.index];
    trend.changes.push_back({figure.name, trend.runs[place].id, place, before, after,
                             (after > before) != figure.higher_is_better, point.p});
  }
}

std::string unit_of(const std::string& metric) {
  for (const Figure& figure : kFigures)
    if (metric == figure.name) return figure.unit;
  return "";
}

std::string told(const TrendChange& change) {
  std::string name = change.metric == "error_rate" ? "the error rate" : change.metric;
  if (name == "rate") name = "the rate";
  const std::string unit = unit_of(change.metric);
  std::string out = name + (change.after > change.before ? " rose" : " fell") + " from " +
                    figure_text(change.before, unit) + " to " + figure_text(change.after, unit);
  if (change.metric != "error_rate" && change.before > 0)
    out += " (" + signed_share(change.after / change.before - 1) + ")";
  return out + " with run " + change.run;
}

std::string conclusion_of(const Trend& trend) {
  const size_t least = 2 * facts::ChangePointOptions().least_stretch;
  if (trend.valid < least)
    return "There are " + std::to_string(trend.valid) +
           " valid runs; a change is told from chance from about 8 on.";
  if (trend.changes.empty())
    return "No change over " + std::to_string(trend.valid) +
           " valid runs that is more than chance.";
  const TrendChange& last = trend.changes.back();
  // The last change, by the figure that says most of it.
  const TrendChange* best = &last;
  for (const TrendChange& change : trend.changes)
    if (change.index == last.index && change.metric == "p95") best = &change;
  std::string out = "Last change: " + told(*best) + ".";
  if (trend.changes.size() > 1) {
    std::vector<size_t> places;
    for (const TrendChange& change : trend.changes) places.push_back(change.index);
    places.erase(std::unique(places.begin(), places.end()), places.end());
    if (places.size() > 1)
      out += " There are " + std::to_string(places.size()) + " changes in all.";
  }
  return out;
}

}  // namespace

Trend trend_of(const std::string& plan, std::vector<HistoryRun> runs, const TrendOptions& options) {
  Trend trend;
  trend.plan = plan;
  trend.runs = std::move(runs);
  for (const HistoryRun& run : trend.runs) trend.valid += run.valid ? 1 : 0;
  for (const Figure& figure : kFigures) find_changes(figure, options, trend);
  std::stable_sort(trend.changes.begin(), trend.changes.end(),
                   [](const TrendChange& a, const TrendChange& b) { return a.index < b.index; });
  trend.conclusion = conclusion_of(trend);
  return trend;
}

}  // namespace plumb::compare
