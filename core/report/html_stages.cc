#include <algorithm>
#include <map>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/ledger_columns.h"
#include "core/report/load_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostStages = 60;
constexpr size_t kMostChanges = 40;
constexpr size_t kMostOfThem = 30;  // endpoints

// Client, network, app, ... of a line's key.
std::string layer_of(const std::string& key) { return key.substr(0, key.find('.')); }

double ms_of_layer(const json& ms, const std::string& layer) {
  double sum = 0;
  if (!ms.is_object()) return sum;
  for (const auto& [key, value] : ms.items())
    if (layer_of(key) == layer) sum += number(value).value_or(0);
  return sum;
}

// What the lines of the whole run's ledger are called, by their keys.
std::map<std::string, std::string> labels_of_lines(const json& report) {
  std::map<std::string, std::string> out;
  for (const json& line : list(report, "ledger"))
    out[text(line, "key")] = text(line, "layer") + ": " + text(line, "label");
  return out;
}

std::string tenths(const std::optional<double>& seconds) {
  return seconds ? grouped(*seconds, 1) : "–";
}

// What takes most of a request's time, and how much of it.
std::string largest_part(const json& ms, const std::map<std::string, std::string>& labels) {
  std::string key;
  double most = 0;
  if (!ms.is_object()) return "–";
  for (const auto& [name, value] : ms.items())
    if (const double one = number(value).value_or(0); one > most) {
      key = name;
      most = one;
    }
  if (key.empty()) return "–";
  const auto known = labels.find(key);
  return shortened(known == labels.end() ? key : known->second, 60) + " " + milliseconds(most);
}

std::string cause_of(const json& stage) {
  const json& bottleneck = member(member(stage, "verdict"), "bottleneck");
  const std::string label = text(member(stage, "verdict"), "label");
  return bottleneck.is_object() ? code(text(bottleneck, "cause"), 60) : escape(label);
}

// When response times changed at once.
std::vector<double> steps_of_latency(const json& report) {
  std::vector<double> out;
  for (const json& change : list(report, "changes")) {
    const auto at = number(change, "at_s");
    if (at && !flag(change, "gradual") && text(change, "measure").starts_with("latency."))
      out.push_back(*at);
  }
  return out;
}

std::string changes_html(const HtmlPage& page) {
  const json& changes = list(page.report, "changes");
  if (changes.empty()) return {};
  std::string out = "<ul class=\"changes\">";
  for (size_t i = 0; i < changes.size() && i < kMostChanges; ++i)
    out += "<li>" + shortened(text(changes[i], "sentence"), 400) + " " +
           page.evidence(member(changes[i], "evidence")) + "</li>";
  return out + "</ul>\n";
}

}  // namespace

std::string over_time_section(HtmlPage& page) {
  std::vector<LedgerColumn> columns;
  for (const json& slice : list(page.report, "ledger_over_time")) {
    const auto start = number(slice, "start_s");
    const auto end = number(slice, "end_s");
    if (!start || !end || *end <= *start) continue;
    LedgerColumn column{*start, *end, {}};
    for (const std::string_view layer : kLedgerLayers)
      column.layers.emplace_back(layer, ms_of_layer(member(slice, "ms"), std::string(layer)));
    columns.push_back(std::move(column));
  }
  if (!is_judged(page.report)) return {};
  std::string body;
  if (columns.size() >= 2) {
    if (nlohmann::json data = ledger_columns_data(columns); !data.is_null())
      page.charts.push_back(std::move(data));
    body = ledger_columns_html(columns, page.axis ? page.axis->stages : std::vector<ChartStage>(),
                               steps_of_latency(page.report));
  }
  return page.section("over-time", "Where the time goes, over time", body + changes_html(page));
}

std::string stages_section(HtmlPage& page) {
  const json& stages = list(page.report, "stages");
  if (stages.empty()) return {};
  HtmlTable table("stages-table", "Each stage judged by itself",
                  {{"Stage"},
                   {"from, s", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"to, s", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"Rate", ColumnKind::kNumber},
                   {"Failed", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"p95, ms", ColumnKind::kNumber},
                   {"mean, ms", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"Most of it", ColumnKind::kLong, ColumnWidth::kWideOnly},
                   {"Bottleneck", ColumnKind::kLong}});
  table.hide_caption();
  const std::map<std::string, std::string> labels = labels_of_lines(page.report);
  for (size_t i = 0; i < stages.size() && i < kMostStages; ++i) {
    const json& stage = stages[i];
    table.add_row({shortened(text(stage, "name"), 60), tenths(number(stage, "start_s")),
                   tenths(number(stage, "end_s")),
                   plain_number(number(stage, "rate"), "requests/s"),
                   plain_number(number(stage, "error_rate"), "ratio"),
                   milliseconds(number(stage, "p95_ms")), milliseconds(number(stage, "total_ms")),
                   largest_part(member(stage, "ledger"), labels), cause_of(stage)});
  }
  return page.section("stages", "Stages", table.html());
}

std::string endpoint_ledgers(const HtmlPage& page) {
  const json& endpoints = list(page.report, "ledger_by_endpoint");
  if (endpoints.empty()) return {};
  HtmlTable table("endpoint-ledgers", "Where each endpoint's time goes, in milliseconds",
                  {{"Endpoint"},
                   {"mean", ColumnKind::kNumber},
                   {"client", ColumnKind::kNumber},
                   {"server", ColumnKind::kNumber},
                   {"Most of the client's", ColumnKind::kLong}});
  const std::map<std::string, std::string> labels = labels_of_lines(page.report);
  for (size_t i = 0; i < endpoints.size() && i < kMostOfThem; ++i) {
    const json& ms = member(endpoints[i], "ms");
    json client = json::object();
    if (ms.is_object())
      for (const auto& [key, value] : ms.items())
        if (layer_of(key) == "client") client[key] = value;
    table.add_row({shortened(text(endpoints[i], "endpoint"), 80),
                   milliseconds(number(endpoints[i], "total_ms")),
                   milliseconds(ms_of_layer(ms, "client")), milliseconds(ms_of_layer(ms, "server")),
                   largest_part(client, labels)});
  }
  return table.html();
}

}  // namespace plumb::report
