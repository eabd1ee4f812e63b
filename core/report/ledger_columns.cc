#include "core/report/ledger_columns.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

constexpr double kColumnsHeight = 170;

double height_of(const LedgerColumn& column) {
  double ms = 0;
  for (const auto& [layer, part] : column.layers) ms += part;
  return ms;
}

// The layers that any column has, in the columns' order.
std::vector<size_t> present(const std::vector<LedgerColumn>& columns) {
  std::vector<size_t> out;
  for (size_t i = 0; i < columns.front().layers.size(); ++i)
    if (std::any_of(columns.begin(), columns.end(),
                    [i](const LedgerColumn& column) { return column.layers[i].second > 0; }))
      out.push_back(i);
  return out;
}

std::string column_svg(const LedgerColumn& column, double x, double width, double top) {
  std::string out;
  double at = 0;
  for (const auto& [layer, ms] : column.layers) {
    const double height = kColumnsHeight * ms / top;
    at += height;
    if (height < 0.2) continue;
    out += "<rect class=\"l-" + std::string(layer) + "\" x=\"" + coordinate(x) + "\" y=\"" +
           coordinate(kColumnsHeight - at) + "\" width=\"" + coordinate(width) + "\" height=\"" +
           coordinate(height) + "\"/>";
  }
  return out;
}

std::string legend(const std::vector<LedgerColumn>& columns) {
  std::string out = "<ul class=\"legend\">";
  for (const size_t i : present(columns)) {
    const std::string layer(columns.front().layers[i].first);
    out +=
        "<li><svg class=\"key\" width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"l-" +
        layer + "\" width=\"12\" height=\"12\"/></svg>" + layer + "</li>";
  }
  return out + "</ul>";
}

std::string numbers(const std::vector<LedgerColumn>& columns) {
  const std::vector<size_t> layers = present(columns);
  std::vector<HtmlColumn> heads = {{"from, s", ColumnKind::kNumber},
                                   {"to, s", ColumnKind::kNumber},
                                   {"ms", ColumnKind::kNumber}};
  for (const size_t i : layers)
    heads.push_back({std::string(columns.front().layers[i].first), ColumnKind::kNumber});
  HtmlTable table("over-time-table", "Mean milliseconds of each request, by layer and slice",
                  std::move(heads));
  for (const LedgerColumn& column : columns) {
    std::vector<std::string> cells = {grouped(column.start_s, 1), grouped(column.end_s, 1),
                                      milliseconds(height_of(column))};
    for (const size_t i : layers) cells.push_back(milliseconds(column.layers[i].second));
    table.add_row(cells);
  }
  return table.html();
}

}  // namespace

std::string ledger_columns_html(const std::vector<LedgerColumn>& columns,
                                const std::vector<ChartStage>& stages,
                                const std::vector<double>& changes_s) {
  double most = 0;
  for (const LedgerColumn& column : columns) most = std::max(most, height_of(column));
  const double top = round_above(most, "ms");
  const double begin = columns.front().start_s;
  const double length = columns.back().end_s - begin;
  PlotFrame frame;
  frame.height = kColumnsHeight;
  frame.y = linear_ticks(0, top, 4, "ms");
  frame.x = time_ticks(begin, columns.back().end_s);
  frame.top = stage_texts(stages, begin, columns.back().end_s);
  frame.label = "Mean milliseconds of each request by layer in " +
                grouped(static_cast<double>(columns.size())) + " slices of the run, from " +
                milliseconds_text(height_of(columns.front())) + " to " +
                milliseconds_text(height_of(columns.back())) + " ms";
  for (const LedgerColumn& column : columns) {
    const double x = kPlotWidth * (column.start_s - begin) / length;
    const double width = kPlotWidth * (column.end_s - column.start_s) / length;
    frame.drawing += column_svg(column, x + width * 0.04, width * 0.92, top);
  }
  for (const double at : changes_s) {
    if (at < begin || at > begin + length) continue;
    frame.drawing += "<path class=\"mark\" d=\"M" + coordinate(kPlotWidth * (at - begin) / length) +
                     " 0V" + coordinate(kColumnsHeight) + "\"/>";
  }
  return "<figure class=\"chart stack\" id=\"chart-over-time\"><figcaption>Mean of each request "
         "<span class=\"unit\">ms, by layer</span></figcaption>" +
         legend(columns) + plot_html(frame) +
         "<details><summary>Numbers<span class=\"hidden\"> over time</span></summary>" +
         numbers(columns) + "</details></figure>\n";
}

nlohmann::json ledger_columns_data(const std::vector<LedgerColumn>& columns) {
  TimeAxis axis;
  axis.interval_s = columns.front().end_s - columns.front().start_s;
  for (const LedgerColumn& column : columns) {
    if (std::fabs(column.end_s - column.start_s - axis.interval_s) > 0.02 * axis.interval_s)
      return nullptr;
    axis.starts_s.push_back(column.start_s);
  }
  TimeChart chart{.id = "chart-over-time", .title = {}, .unit = "ms", .lines = {{"in all", {}}}};
  for (const LedgerColumn& column : columns) chart.lines[0].values.emplace_back(height_of(column));
  for (const size_t i : present(columns)) {
    ChartLine line{std::string(columns.front().layers[i].first), {}};
    for (const LedgerColumn& column : columns) line.values.emplace_back(column.layers[i].second);
    chart.lines.push_back(std::move(line));
  }
  return time_chart_data(chart, axis);
}

}  // namespace plumb::report
