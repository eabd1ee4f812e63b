#include "core/report/svg_runs.h"

#include <algorithm>

#include "core/base/number_text.h"
#include "core/report/html_text.h"
#include "core/report/plain_text.h"
#include "core/report/sections.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

constexpr double kRunsHeight = 190;
constexpr size_t kMostPlaces = 3;     // told below the chart
constexpr size_t kPlaceColumns = 10;  // of each, so that they do not touch on a phone: a date

double runs_x(size_t index, size_t count) {
  return kPlotWidth * (static_cast<double>(index) + 0.5) / static_cast<double>(count);
}

std::string runs_style(size_t line) { return "s" + std::to_string(line % 6); }

std::string drawn(const RunsLine& line, const std::string& style, double top, size_t count) {
  std::string path;
  std::string dots;
  bool down = false;
  for (size_t i = 0; i < line.values.size() && i < count; ++i) {
    if (!line.values[i]) continue;
    const double y = kRunsHeight * (1 - std::clamp(*line.values[i] / top, 0.0, 1.0));
    const std::string at = coordinate(runs_x(i, count)) + " " + coordinate(y);
    // A run without a figure does not part those around it.
    path += (down ? "L" : "M") + at;
    dots += "M" + at + "h0";
    down = true;
  }
  if (path.empty()) return {};
  return "<path class=\"line " + style + "\" d=\"" + path + "\"/><path class=\"dot " + style +
         "\" d=\"" + dots + "\"/>";
}

std::string runs_legend(const RunsChart& chart) {
  std::string out = "<ul class=\"legend\">";
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const std::string style = runs_style(i);
    out +=
        "<li><svg class=\"key\" width=\"30\" height=\"10\" aria-hidden=\"true\"><path "
        "class=\"line " +
        style + "\" d=\"M1 5H29\"/><path class=\"dot " + style + "\" d=\"M15 5h0\"/></svg>" +
        shortened(chart.lines[i].name, 60) + "</li>";
  }
  return out + "</ul>";
}

}  // namespace

std::string runs_chart_html(const RunsChart& chart) {
  const size_t count = chart.places.size();
  double largest = 0;
  size_t known = 0;
  for (const RunsLine& line : chart.lines)
    for (const auto& value : line.values)
      if (value) {
        largest = std::max(largest, *value);
        ++known;
      }
  if (known == 0 || count == 0) return {};
  const double top = round_above(largest, chart.unit);
  PlotFrame frame;
  frame.label = cut(chart.title, 80) + " over " + grouped(static_cast<double>(count)) + " runs";
  frame.height = kRunsHeight;
  frame.y = linear_ticks(0, top, 5, chart.unit);
  const size_t every = std::max<size_t>(1, (count + kMostPlaces - 1) / kMostPlaces);
  for (size_t i = 0; i < count; i += every)
    frame.x.push_back({runs_x(i, count) / kPlotWidth, chart.places[i].substr(0, kPlaceColumns)});
  for (const size_t change : chart.changes) {
    if (change >= count) continue;
    // Between the run that shows it and the one before.
    const std::string x =
        coordinate(kPlotWidth * static_cast<double>(change) / static_cast<double>(count));
    frame.drawing += "<path class=\"mark\" d=\"M" + x + " 0V" + coordinate(kRunsHeight) + "\"/>";
  }
  for (size_t i = chart.lines.size(); i-- > 0;)
    frame.drawing += drawn(chart.lines[i], runs_style(i), top, count);
  return "<figure class=\"chart\" id=\"" + chart.id + "\"><figcaption>" +
         shortened(chart.title, 90) +
         (chart.unit == "ms" ? " <span class=\"unit\">ms</span>" : "") + "</figcaption>" +
         (chart.lines.size() > 1 ? runs_legend(chart) : "") + plot_html(frame) + "</figure>\n";
}

nlohmann::json runs_chart_data(const RunsChart& chart) {
  nlohmann::json places = nlohmann::json::array();
  for (const std::string& place : chart.places) places.push_back(cut(place, 40));
  nlohmann::json lines = nlohmann::json::array();
  for (const RunsLine& line : chart.lines) {
    nlohmann::json values = nlohmann::json::array();
    for (const auto& value : line.values)
      values.push_back(value ? nlohmann::json(six_digits(*value)) : nlohmann::json());
    lines.push_back({{"name", cut(line.name, 60)}, {"values", std::move(values)}});
  }
  return {{"id", chart.id},
          {"unit", chart.unit},
          {"places", std::move(places)},
          {"lines", std::move(lines)}};
}

}  // namespace plumb::report
