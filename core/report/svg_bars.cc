#include "core/report/svg_bars.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

constexpr double kHeight = 170;
constexpr double kLeastTickGap = 0.16;
constexpr double kMarkRow = 13;  // marks' texts stand in rows, so that near ones do not touch

// 1, 2, 5 times the powers of ten between `low` and `high`, thinned to what fits.
std::vector<Tick> logarithmic_ticks(double low, double high) {
  std::vector<Tick> out;
  const double length = std::log(high / low);
  const double decades = std::log10(high / low);
  for (double power = std::floor(std::log10(low)); power <= std::log10(high) + 1; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (decades > 2.5 && factor != 1.0) continue;
      const double value = factor * std::pow(10.0, power);
      if (value < low * 0.999 || value > high * 1.001) continue;
      const std::string text = value >= 1000 ? grouped(value / 1000) + " s"
                               : value >= 1  ? grouped(value) + " ms"
                                             : grouped(value * 1000) + " µs";
      out.push_back({std::clamp(std::log(value / low) / length, 0.0, 1.0), text});
    }
  }
  // Texts that would touch on a narrow screen give way, those of 2 and 5 first.
  for (size_t i = 1; i < out.size();)
    if (out[i].at - out[i - 1].at >= kLeastTickGap)
      ++i;
    else
      out.erase(out.begin() + static_cast<ptrdiff_t>(out[i].text[0] == '1' ? i - 1 : i));
  // A range within one step has its ends told instead.
  if (out.size() < 2)
    out = {{0, milliseconds_text(low) + " ms"}, {1, milliseconds_text(high) + " ms"}};
  return out;
}

std::string bars_svg(const std::vector<HistogramBar>& bars, double most) {
  std::string out;
  const double width = kPlotWidth / static_cast<double>(bars.size());
  for (size_t i = 0; i < bars.size(); ++i) {
    if (bars[i].count <= 0) continue;
    // One request in a million still shows.
    const double height = std::max(1.5, kHeight * bars[i].count / most);
    out += "<rect class=\"bar\" x=\"" + coordinate(static_cast<double>(i) * width + width * 0.06) +
           "\" y=\"" + coordinate(kHeight - height) + "\" width=\"" + coordinate(width * 0.88) +
           "\" height=\"" + coordinate(height) + "\"/>";
  }
  return out;
}

}  // namespace

std::string histogram_html(const std::vector<HistogramBar>& bars,
                           const std::vector<HistogramMark>& marks) {
  const double low = bars.front().from_ms;
  const double high = std::max(bars.back().to_ms, low * 1.0001);
  double most = 1;
  double total = 0;
  for (const HistogramBar& bar : bars) {
    most = std::max(most, bar.count);
    total += bar.count;
  }
  const double top = round_above(most, "1");
  PlotFrame frame;
  frame.height = kHeight;
  frame.y = linear_ticks(0, top, 4, "1");
  frame.x = logarithmic_ticks(low, high);
  frame.drawing = bars_svg(bars, top);
  frame.label = "Histogram of " + grouped(total) + " response times from " +
                milliseconds_text(low) + " to " + milliseconds_text(high) + " ms";
  std::string texts;
  double row = 0;
  for (const HistogramMark& mark : marks) {
    if (!(mark.ms > 0)) continue;
    const double at = std::clamp(std::log(mark.ms / low) / std::log(high / low), 0.0, 1.0);
    frame.drawing += "<path class=\"mark\" d=\"M" + coordinate(at * kPlotWidth) + " 0V" +
                     coordinate(kHeight) + "\"/>";
    const bool left = at > 0.6;
    texts += "<text x=\"" + coordinate(at * 100) + "%\" dx=\"" + (left ? "-4" : "4") + "\" y=\"" +
             coordinate(row * kMarkRow + 11) + "\" text-anchor=\"" + (left ? "end" : "start") +
             "\">" + escape(mark.name + " " + milliseconds_text(mark.ms) + " ms") + "</text>";
    frame.label += ", " + mark.name + " " + milliseconds_text(mark.ms) + " ms";
    ++row;
  }
  std::string plot = plot_html(frame);
  // The marks' texts lie over the drawing.
  const std::string end = "</div>\n";
  plot.insert(plot.size() - end.size(), "<svg class=\"over\" height=\"" + coordinate(kHeight) +
                                            "\" aria-hidden=\"true\">" + texts + "</svg>");

  HtmlTable table("histogram-table", "Response times of requests that succeeded, steady stage",
                  {{"from", ColumnKind::kNumber},
                   {"to", ColumnKind::kNumber},
                   {"requests", ColumnKind::kNumber},
                   {"share", ColumnKind::kNumber}});
  for (const HistogramBar& bar : bars)
    if (bar.count > 0)
      table.add_row({escape(seconds_text(bar.from_ms / 1e3)), escape(seconds_text(bar.to_ms / 1e3)),
                     grouped(bar.count), ratio_text(bar.count / total)});
  return "<figure class=\"chart\" id=\"chart-histogram\"><figcaption>How response times are spread "
         "<span class=\"unit\">requests; time on a logarithmic axis</span></figcaption>" +
         plot +
         "<details><summary>Numbers<span class=\"hidden\"> of the histogram</span></summary>" +
         table.html() + "</details></figure>\n";
}

std::string waterfall_bar(double start, double end, std::string_view layer) {
  static constexpr std::array<std::string_view, 8> kLayers = {
      "client", "network", "app", "database", "downstream", "host", "queue", "unexplained"};
  const bool known = std::find(kLayers.begin(), kLayers.end(), layer) != kLayers.end();
  start = std::clamp(start, 0.0, 1.0);
  end = std::clamp(end, start, 1.0);
  std::string bar;
  if (end > start) {
    // A line that is next to nothing still shows its colour, which an edge would hide.
    const double width = std::max(4.0, (end - start) * kPlotWidth);
    bar = "<rect class=\"l-" + std::string(known ? layer : "unexplained") +
          (width < 8 ? " thin" : "") + "\" x=\"" +
          coordinate(std::min(start * kPlotWidth, kPlotWidth - width)) + "\" y=\"1.5\" width=\"" +
          coordinate(width) + "\" height=\"11\"/>";
  }
  return "<svg class=\"fall\" viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\"><path class=\"grid\" d=\"M0 0V14M250 0V14M500 0V14M750 0V14M1000 "
         "0V14\"/>" +
         bar + "</svg>";
}

}  // namespace plumb::report
