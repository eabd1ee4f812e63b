#include <algorithm>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/svg_bars.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostEndpoints = 100;
constexpr size_t kMostErrors = 50;

ChartLine timeline_line(const json& report, const char* key, std::string name) {
  ChartLine line{std::move(name), {}};
  for (const json& value : list(member(report, "timeline"), key))
    line.values.push_back(number(value));
  return line;
}

std::string histogram(const json& report) {
  std::vector<HistogramBar> bars;
  for (const json& bar : list(report, "latency_histogram")) {
    const auto from = number(bar, "from_ms");
    const auto to = number(bar, "to_ms");
    const auto count = number(bar, "count");
    if (from && to && count && *from > 0 && *to > *from && bars.size() < 100)
      bars.push_back({*from, *to, *count});
  }
  if (bars.empty()) return {};
  std::vector<HistogramMark> marks;
  for (const char* name : {"p50", "p95", "p99"})
    if (const auto seconds = fact_value(report, std::string("latency.") + name))
      marks.push_back({name, *seconds * 1e3});
  return histogram_html(bars, marks);
}

std::string percentiles(const json& report) {
  HtmlTable table("percentiles", "Milliseconds of requests that succeeded, steady stage",
                  {{""},
                   {"mean", ColumnKind::kNumber},
                   {"p50", ColumnKind::kNumber},
                   {"p90", ColumnKind::kNumber},
                   {"p95", ColumnKind::kNumber},
                   {"p99", ColumnKind::kNumber},
                   {"p99.9", ColumnKind::kNumber},
                   {"max", ColumnKind::kNumber}});
  struct Row {
    const char* fact;
    const char* name;
  };
  bool known = false;
  for (const Row& row : {Row{"latency.", "response, from the intended start"},
                         Row{"service.", "service, from the actual send"}}) {
    std::vector<std::string> cells = {row.name};
    bool any = false;
    for (const char* statistic : {"mean", "p50", "p90", "p95", "p99", "p999", "max"}) {
      auto value = fact_value(report, std::string(row.fact) + statistic);
      any = any || value.has_value();
      if (value) *value *= 1e3;
      cells.push_back(milliseconds(value));
    }
    if (any) table.add_row(cells);
    known = known || any;
  }
  return known ? table.html() : std::string();
}

}  // namespace

std::string latency_section(HtmlPage& page) {
  std::string body = percentiles(page.report);
  for (const std::string& sentence : spike_sentences(page.report))
    body += "<p>" + shortened(sentence) + "</p>";
  body += histogram(page.report);
  body += page.chart({.id = "chart-latency",
                      .title = "Response time over time",
                      .unit = "ms",
                      .lines = {timeline_line(page.report, "p50_ms", "p50"),
                                timeline_line(page.report, "p95_ms", "p95"),
                                timeline_line(page.report, "p99_ms", "p99")}});
  return page.section("latency", "Response time", body);
}

std::string throughput_section(HtmlPage& page) {
  std::string body = page.chart({.id = "chart-throughput",
                                 .title = "Requests finished, and those of them that failed",
                                 .unit = "requests/s",
                                 .lines = {timeline_line(page.report, "requests_per_s", "finished"),
                                           timeline_line(page.report, "errors_per_s", "failed")}});
  body += page.chart({.id = "chart-in-flight",
                      .title = "Requests in flight",
                      .unit = "",
                      .height = 120,
                      .lines = {timeline_line(page.report, "in_flight", "")}});
  return page.section("throughput", "Throughput", body);
}

std::string endpoints_section(HtmlPage& page) {
  const json& endpoints = list(page.report, "endpoints");
  if (endpoints.empty()) return {};
  HtmlTable table("endpoints-table", "Endpoints, times in milliseconds",
                  {{"Endpoint"},
                   {"Requests", ColumnKind::kNumber},
                   {"Rate", ColumnKind::kNumber},
                   {"Failed", ColumnKind::kNumber},
                   {"mean", ColumnKind::kNumber},
                   {"p50", ColumnKind::kNumber},
                   {"p90", ColumnKind::kNumber},
                   {"p95", ColumnKind::kNumber},
                   {"p99", ColumnKind::kNumber},
                   {"p99.9", ColumnKind::kNumber},
                   {"max", ColumnKind::kNumber}});
  for (size_t i = 0; i < endpoints.size() && i < kMostEndpoints; ++i) {
    const json& row = endpoints[i];
    std::string failed = plain_number(number(row, "failed"), "requests");
    if (number(row, "failed").value_or(0) > 0)
      failed += " (" + plain_number(number(row, "error_rate"), "ratio") + ")";
    std::vector<std::string> cells = {shortened(text(row, "endpoint"), 80),
                                      plain_number(number(row, "requests"), "requests"),
                                      plain_number(number(row, "rate"), "requests/s"), failed};
    for (const char* key : {"mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms"})
      cells.push_back(milliseconds(number(row, key)));
    table.add_row(cells);
  }
  return page.section("endpoints", "Endpoints", table.html() + endpoint_ledgers(page));
}

std::string errors_section(HtmlPage& page) {
  const json& errors = list(page.report, "errors");
  if (errors.empty()) return {};
  std::vector<const json*> rows;
  for (const json& error : errors) rows.push_back(&error);
  std::stable_sort(rows.begin(), rows.end(), [](const json* a, const json* b) {
    return number(*a, "count").value_or(0) > number(*b, "count").value_or(0);
  });
  HtmlTable table("errors-table", "Failed requests of the whole run, the most frequent first",
                  {{"Endpoint"},
                   {"Class"},
                   {"Status"},
                   {"Count", ColumnKind::kNumber},
                   {"Example", ColumnKind::kLong}});
  for (size_t i = 0; i < rows.size() && i < kMostErrors; ++i)
    table.add_row({shortened(text(*rows[i], "endpoint"), 80),
                   shortened(text(*rows[i], "class"), 40), shortened(text(*rows[i], "status"), 20),
                   plain_number(number(*rows[i], "count"), "requests"),
                   shortened(text(*rows[i], "example"), 240)});
  std::string body = table.html();
  if (rows.size() > kMostErrors)
    body += "<p>" + grouped(static_cast<double>(rows.size() - kMostErrors)) +
            " more kinds are in report.json.</p>";
  return page.section("errors", "Errors", body);
}

std::string slos_section(HtmlPage& page) {
  const json& slos = list(page.report, "slos");
  if (slos.empty()) return {};
  HtmlTable table("slos-table", "Objectives",
                  {{"Objective"},
                   {"Result"},
                   {"Margin", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"Because", ColumnKind::kLong},
                   {"Evidence", ColumnKind::kText, ColumnWidth::kWideOnly}});
  table.hide_caption();
  for (size_t i = 0; i < slos.size() && i < 100; ++i) {
    const json& slo = slos[i];
    const bool met = flag(slo, "met");
    const std::string endpoint = text(slo, "endpoint");
    const std::string metric = text(slo, "metric");
    const std::string relation = metric == "abort" ? " " : flag(slo, "at_least") ? " ≥ " : " ≤ ";
    const auto margin = number(slo, "margin");
    table.add_row({shortened((endpoint.empty() ? "all requests" : endpoint) + ": " +
                                 text(slo, "metric") + relation + text(slo, "limit"),
                             120),
                   met ? "met" : "<b>BREACHED</b>", margin ? ratio_text(*margin) : "–",
                   shortened(text(slo, "sentence"), 300), page.evidence(member(slo, "evidence"))},
                  met ? "" : " class=\"hit\"");
  }
  return page.section("slos", "Service level objectives", table.html());
}

}  // namespace plumb::report
