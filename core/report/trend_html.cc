#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/html_document.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/svg_runs.h"
#include "core/report/trend.h"
#include "core/report/trend_words.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostRuns = 500;

std::string trend_section(HtmlDocument& page, const std::string& id, const std::string& heading,
                          const std::string& body) {
  if (body.empty()) return {};
  page.contents.emplace_back(id, heading);
  return "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-h\"><h2 id=\"" + id + "-h\">" +
         escape(heading) + "</h2>\n" + body + "</section>\n";
}

// The last kMostRuns of them.
size_t first_of(const json& runs) { return runs.size() > kMostRuns ? runs.size() - kMostRuns : 0; }

// Only valid runs are drawn.
RunsLine line_of(const json& runs, const std::string& name, const char* key) {
  RunsLine line{name, {}};
  for (size_t i = first_of(runs); i < runs.size(); ++i)
    line.values.push_back(flag(runs[i], "valid") ? number(runs[i], key) : std::nullopt);
  return line;
}

std::vector<size_t> changes_of(const json& trend, const std::vector<std::string>& metrics) {
  const size_t first = first_of(list(trend, "runs"));
  std::vector<size_t> out;
  for (const json& change : list(trend, "changes")) {
    const auto index = number(change, "index");
    if (!index || *index < static_cast<double>(first)) continue;
    if (std::find(metrics.begin(), metrics.end(), text(change, "metric")) != metrics.end())
      out.push_back(static_cast<size_t>(*index) - first);
  }
  return out;
}

// What the script tells under the pointer goes with it.
std::string chart_html(HtmlDocument& page, const RunsChart& chart) {
  const std::string html = runs_chart_html(chart);
  if (!html.empty()) page.charts.push_back(runs_chart_data(chart));
  return html;
}

std::string charts_html(HtmlDocument& page, const json& trend) {
  const json& runs = list(trend, "runs");
  std::vector<std::string> places;
  for (size_t i = first_of(runs); i < runs.size(); ++i) places.push_back(minute_text(runs[i]));
  const auto in_ms = [&](const char* name, const char* key) {
    RunsLine line = line_of(runs, name, key);
    for (auto& value : line.values)
      if (value) *value *= 1e3;
    return line;
  };
  std::string out =
      chart_html(page, {"chart-latency",
                        "Response time",
                        "ms",
                        {in_ms("p50", "p50_s"), in_ms("p95", "p95_s"), in_ms("p99", "p99_s")},
                        places,
                        changes_of(trend, {"p50", "p95", "p99"})});
  out += chart_html(page, {"chart-rate",
                           "Requests per second",
                           "requests/s",
                           {line_of(runs, "requests per second", "rate")},
                           places,
                           changes_of(trend, {"rate"})});
  const RunsLine errors = line_of(runs, "failed", "error_rate");
  const bool any = std::any_of(errors.values.begin(), errors.values.end(),
                               [](const auto& value) { return value && *value > 0; });
  if (any)
    out += chart_html(page, {"chart-errors",
                             "Share of requests that failed",
                             "ratio",
                             {errors},
                             places,
                             changes_of(trend, {"error_rate"})});
  if (!out.empty())
    out +=
        "<p class=\"soft\">One place for each run, whatever time lay between them; runs that "
        "are not valid are left out. An upright line is a change for good.</p>";
  return out;
}

std::string changes_html(const json& trend) {
  std::string out;
  size_t shown = 0;
  for (const json& change : list(trend, "changes"))
    if (++shown <= 100)
      out += "<li>" + std::string(flag(change, "worse") ? "<b>Worse</b>: " : "<b>Better</b>: ") +
             shortened(trend_change_text(change), 160) + ", with run " +
             code(text(change, "run"), 60) + "</li>";
  return out.empty() ? "<p>None that is more than chance.</p>" : "<ul>" + out + "</ul>";
}

std::string runs_table(const json& trend) {
  const json& runs = list(trend, "runs");
  if (runs.empty()) return {};
  HtmlTable table("table-history", "Runs, the newest first",
                  {{"Run"},
                   {"Started (UTC)"},
                   {"p50", ColumnKind::kNumber},
                   {"p95", ColumnKind::kNumber},
                   {"p99", ColumnKind::kNumber},
                   {"Rate", ColumnKind::kNumber},
                   {"Errors", ColumnKind::kNumber},
                   {"Verdict"},
                   {"Bottleneck"}});
  table.hide_caption();
  for (size_t i = runs.size(); i-- > first_of(runs);) {
    const json& run = runs[i];
    const std::string cause = text(run, "cause");
    table.add_row(
        {code(text(run, "id"), 60), escape(minute_text(run)), escape(run_figure(run, "p50_s")),
         escape(run_figure(run, "p95_s")), escape(run_figure(run, "p99_s")),
         escape(run_figure(run, "rate")), escape(run_figure(run, "error_rate")),
         shortened(run_verdict(run), 30), cause.empty() ? "–" : code(cause, 60)},
        changes_at(trend, i).empty() ? "" : " class=\"hit\"");
  }
  return table.html();
}

}  // namespace

std::string trend_to_html(const json& trend) {
  const std::string plan = cut(text(trend, "plan"), 80);
  HtmlDocument page;
  page.title = plan + ", its history";
  page.version = text(trend, "plumb_version");
  page.header = "<header><h1>" + escape(plan) + ", its history</h1><p>" +
                grouped(static_cast<double>(list(trend, "runs").size())) + " runs, " +
                grouped(number(trend, "valid_runs").value_or(0)) + " of them valid</p></header>\n";
  page.main = trend_section(page, "conclusion", "Conclusion",
                            "<p>" + shortened(text(trend, "conclusion"), 600) + "</p>");
  page.main += trend_section(page, "history", "Over all runs", charts_html(page, trend));
  page.main += trend_section(page, "changes", "Changes", changes_html(trend));
  page.main += trend_section(page, "runs", "Runs", runs_table(trend));
  return page.html();
}

}  // namespace plumb::report
