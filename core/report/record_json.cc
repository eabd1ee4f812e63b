#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostRows = 1000;
constexpr size_t kMostEvents = 200;

// The table as the ABI describes it, every row as long as there are columns; null when it is not.
json checked_table(const TableRecord& table) {
  const json parsed = json::parse(table.json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("columns") || !parsed.contains("rows")) return {};
  if (!parsed["columns"].is_array() || !parsed["rows"].is_array()) return {};
  json columns = json::array();
  for (const json& column : parsed["columns"]) {
    if (!column.is_object()) return {};
    const auto word = [&](const char* key) {
      return column.contains(key) && column[key].is_string() ? column[key] : json();
    };
    const json key = word("key");
    const json title = word("title");
    columns.push_back({{"key", key.is_null() ? json("") : key},
                       {"title", title.is_null() ? key : title},
                       {"unit", word("unit")}});
    if (columns.back()["title"].is_null()) columns.back()["title"] = "";
  }
  json rows = json::array();
  for (const json& row : parsed["rows"]) {
    if (!row.is_array() || rows.size() >= kMostRows) break;
    json cells = json::array();
    for (size_t i = 0; i < columns.size(); ++i)
      cells.push_back(i < row.size() && row[i].is_primitive() ? row[i] : json());
    rows.push_back(std::move(cells));
  }
  const bool titled = parsed.contains("title") && parsed["title"].is_string();
  return {{"plugin", table.plugin},
          {"title", titled ? parsed["title"] : json(table.name)},
          {"columns", std::move(columns)},
          {"rows", std::move(rows)}};
}

}  // namespace

json tables_json(const store::RunData& run, json& notes) {
  json out = json::object();
  for (const TableRecord& table : run.tables) {
    json checked = checked_table(table);
    if (checked.is_null())
      notes.push_back("Table " + table.name + " of plugin " + table.plugin +
                      " is left out: it is not a table of columns and rows.");
    else
      out[table.name] = std::move(checked);
  }
  return out;
}

json health_json(const store::RunData& run) {
  json out = json::array();
  for (const HealthChange& change : run.health)
    out.push_back({{"plugin", change.plugin},
                   {"at_s", run_seconds(run, change.time_ns)},
                   {"health", health_name(change.health)},
                   {"message", change.message}});
  return out;
}

json events_json(const store::RunData& run, json& notes) {
  std::vector<const Event*> events;
  for (const Event& event : run.events) events.push_back(&event);
  if (events.size() > kMostEvents) {
    notes.push_back(std::to_string(events.size() - kMostEvents) + " of " +
                    std::to_string(events.size()) +
                    " events are left out, the least severe first; the run file has them all.");
    std::stable_sort(events.begin(), events.end(),
                     [](const Event* a, const Event* b) { return a->level > b->level; });
    events.resize(kMostEvents);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event* a, const Event* b) { return a->time_ns < b->time_ns; });
  json out = json::array();
  for (const Event* event : events) {
    json attributes = json::parse(event->attributes, nullptr, false);
    if (!attributes.is_object()) attributes = nullptr;
    out.push_back({{"plugin", event->plugin},
                   {"at_s", run_seconds(run, event->time_ns)},
                   {"level", level_name(event->level)},
                   {"kind", event->kind},
                   {"message", event->message},
                   {"attributes", std::move(attributes)}});
  }
  return out;
}

json self_json(const store::RunData& run, const facts::FactSet& facts) {
  struct Cost {
    std::optional<double> cpu_ratio;
    std::optional<double> server_cpu_ratio;
    std::optional<double> resident_bytes;
    std::optional<double> dropped;
    std::optional<double> late;
    std::optional<double> skipped;
    std::optional<double> interval;
  };
  constexpr std::string_view kServerSide = "_sampler_cpu_seconds_total";
  std::map<std::string, Cost> by_plugin;
  for (const store::SeriesData& series : run.series) {
    if (series.info.name.ends_with(kServerSide)) {
      by_plugin[series.info.plugin].server_cpu_ratio =
          facts.value(series.info.name + ".rate", series.info.labels);
      continue;
    }
    if (series.info.plugin != "engine" || series.info.labels.empty()) continue;
    Cost& cost = by_plugin[series.info.labels.front().second];
    const Labels& labels = series.info.labels;
    if (series.info.name == "plumb_cpu_seconds_total")
      cost.cpu_ratio = facts.value("plumb_cpu_seconds_total.rate", labels);
    else if (series.info.name == "plumb_resident_bytes")
      cost.resident_bytes = facts.value("plumb_resident_bytes.max", labels);
    else if (series.info.name == "plumb_dropped_total" && !series.values.empty())
      cost.dropped = series.values.back();
    else if (series.info.name == "plumb_collect_late_seconds")
      cost.late = facts.value("plumb_collect_late_seconds.max", labels);
    else if (series.info.name == "plumb_collect_interval_seconds")
      cost.interval = facts.value("plumb_collect_interval_seconds.max", labels);
    else if (series.info.name == "plumb_collects_skipped_total")
      cost.skipped = facts.value("plumb_collects_skipped_total.delta", labels);
  }
  json plugins = json::array();
  for (const auto& [plugin, cost] : by_plugin)
    plugins.push_back({{"plugin", plugin},
                       {"cpu_ratio", or_null(cost.cpu_ratio)},
                       {"server_cpu_ratio", or_null(cost.server_cpu_ratio)},
                       {"resident_bytes", or_null(cost.resident_bytes)},
                       {"dropped", or_null(cost.dropped)},
                       {"interval_s", or_null(cost.interval)},
                       {"late_s", or_null(cost.late)},
                       {"skipped", or_null(cost.skipped)}});
  return {{"plugins", std::move(plugins)}};
}

}  // namespace plumb::report
