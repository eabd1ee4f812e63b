#include "plugins/prom_scrape/metrics_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

using nlohmann::json;

json number_cell(const std::optional<double>& value) { return value ? json(*value) : json(); }

json text_cell(const std::string& text) { return text.empty() ? json() : json(text); }

json left_out_cell(const MetricFamily& family) {
  if (family.left_out == 0) return {};
  return std::to_string(family.left_out) + ": " + family.why;
}

}  // namespace

std::string metrics_table(const ScrapedSeries& scraped) {
  const auto& families = scraped.families().all();
  const auto last = scraped.values();
  std::vector<size_t> order;
  for (size_t i = 0; i < families.size(); ++i)
    if (families[i].kept + families[i].left_out > 0) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const bool kept_a = families[a].kept > 0;
    const bool kept_b = families[b].kept > 0;
    return kept_a != kept_b ? kept_a : families[a].name < families[b].name;
  });
  if (order.size() > kMostTableRows) order.resize(kMostTableRows);

  json table = {{"title", "Metrics that the application exposes"},
                {"columns",
                 {{{"key", "metric"}, {"title", "Metric"}},
                  {{"key", "type"}, {"title", "Type"}},
                  {{"key", "series"}, {"title", "Series kept"}},
                  {{"key", "name"}, {"title", "Called here"}},
                  {{"key", "first"}, {"title", "First, all series"}},
                  {{"key", "last"}, {"title", "Last, all series"}},
                  {{"key", "left_out"}, {"title", "Left out"}},
                  {{"key", "help"}, {"title", "Help"}}}},
                {"rows", json::array()}};
  for (const size_t i : order) {
    const MetricFamily& family = families[i];
    table["rows"].push_back({plain_text(family.name, kMostNameBytes), metric_type_name(family.type),
                             family.kept, text_cell(family.series), number_cell(family.first),
                             number_cell(last[i]), left_out_cell(family), text_cell(family.help)});
  }
  return table.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace plumb::prom_scrape
