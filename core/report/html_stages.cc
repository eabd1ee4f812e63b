#include <algorithm>
#include <array>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/ledger_columns.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostStages = 60;
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

// What takes most of a request's time, and how much of it.
std::string largest_part(const json& ms) {
  std::string key;
  double most = 0;
  if (!ms.is_object()) return "–";
  for (const auto& [name, value] : ms.items())
    if (const double one = number(value).value_or(0); one > most) {
      key = name;
      most = one;
    }
  return key.empty() ? "–" : shortened(key, 60) + " " + milliseconds(most);
}

std::string cause_of(const json& stage) {
  const json& bottleneck = member(member(stage, "verdict"), "bottleneck");
  const std::string label = text(member(stage, "verdict"), "label");
  return bottleneck.is_object() ? code(text(bottleneck, "cause"), 60) : escape(label);
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
  if (columns.size() < 2) return {};
  return page.section("over-time", "Where the time goes, over time", ledger_columns_html(columns));
}

std::string stages_section(HtmlPage& page) {
  const json& stages = list(page.report, "stages");
  if (stages.empty()) return {};
  HtmlTable table("stages-table", "Each stage judged by itself",
                  {{"Stage"},
                   {"from, s", ColumnKind::kNumber},
                   {"to, s", ColumnKind::kNumber},
                   {"Rate", ColumnKind::kNumber},
                   {"Failed", ColumnKind::kNumber},
                   {"p95, ms", ColumnKind::kNumber},
                   {"mean, ms", ColumnKind::kNumber},
                   {"Most of it", ColumnKind::kLong},
                   {"Bottleneck", ColumnKind::kLong}});
  table.hide_caption();
  for (size_t i = 0; i < stages.size() && i < kMostStages; ++i) {
    const json& stage = stages[i];
    table.add_row({shortened(text(stage, "name"), 60), plain_number(number(stage, "start_s"), "1"),
                   plain_number(number(stage, "end_s"), "1"),
                   plain_number(number(stage, "rate"), "requests/s"),
                   plain_number(number(stage, "error_rate"), "ratio"),
                   milliseconds(number(stage, "p95_ms")), milliseconds(number(stage, "total_ms")),
                   largest_part(member(stage, "ledger")), cause_of(stage)});
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
  for (size_t i = 0; i < endpoints.size() && i < kMostOfThem; ++i) {
    const json& ms = member(endpoints[i], "ms");
    json client = json::object();
    if (ms.is_object())
      for (const auto& [key, value] : ms.items())
        if (layer_of(key) == "client") client[key] = value;
    table.add_row({shortened(text(endpoints[i], "endpoint"), 80),
                   milliseconds(number(endpoints[i], "total_ms")),
                   milliseconds(ms_of_layer(ms, "client")), milliseconds(ms_of_layer(ms, "server")),
                   largest_part(client)});
  }
  return table.html();
}

}  // namespace plumb::report
