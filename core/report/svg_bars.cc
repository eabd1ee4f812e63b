#include "core/report/svg_bars.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/number_text.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

constexpr double kHeight = 170;
constexpr double kLeastTickGap = 0.16;
constexpr double kMarkRow = 13;  // marks' texts stand in rows, so that near ones do not touch

std::string time_tick_text(double ms, double step) {
  if (ms >= 1000) return tick_text(ms / 1000, step / 1000, "seconds");
  return ms >= 1 || step >= 1 ? tick_text(ms, step, "1") + " ms"
                              : tick_text(ms * 1000, step * 1000, "1") + " µs";
}

// 1, 2, 5 times the powers of ten between `low` and `high`.
std::vector<Tick> decade_ticks(double low, double high) {
  std::vector<Tick> out;
  const double length = std::log(high / low);
  const double decades = std::log10(high / low);
  for (double power = std::floor(std::log10(low)); power <= std::log10(high) + 1; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (decades > 2.5 && factor != 1.0) continue;
      const double value = factor * std::pow(10.0, power);
      if (value < low * 0.999 || value > high * 1.001) continue;
      out.push_back(
          {std::clamp(std::log(value / low) / length, 0.0, 1.0), time_tick_text(value, value)});
    }
  }
  // Texts that would touch on a narrow screen give way, those of 2 and 5 first.
  for (size_t i = 1; i < out.size();)
    if (out[i].at - out[i - 1].at >= kLeastTickGap)
      ++i;
    else
      out.erase(out.begin() + static_cast<ptrdiff_t>(out[i].text[0] == '1' ? i - 1 : i));
  return out;
}

// Evenly spaced values, where the range has hardly a power of ten in it.
std::vector<Tick> even_ticks(double low, double high) {
  std::vector<Tick> out;
  for (const Tick& tick : linear_ticks(low, high, 5, "1")) {
    const double ms = low + tick.at * (high - low);
    const double at = std::clamp(std::log(ms / low) / std::log(high / low), 0.0, 1.0);
    if (out.empty() || at - out.back().at >= kLeastTickGap)
      out.push_back({at, time_tick_text(ms, round_tick_step(low, high, 5, "1"))});
  }
  return out;
}

std::vector<Tick> logarithmic_ticks(double low, double high) {
  std::vector<Tick> out = decade_ticks(low, high);
  if (out.size() < 3)
    if (std::vector<Tick> even = even_ticks(low, high); even.size() > out.size())
      out = std::move(even);
  // A range within one step has its ends told instead.
  if (out.size() < 2)
    out = {{0, milliseconds_text(low) + " ms"}, {1, milliseconds_text(high) + " ms"}};
  return out;
}

// Where a mark's text stands: beside its line, in a row of its own above the bars. A line begins at
// its row, so that it does not run through the texts of those above.
struct PlacedMark {
  double at = 0;  // 0 to 1
  bool left = false;
  size_t row = 0;
  std::string text;
};

std::vector<PlacedMark> place_marks(const std::vector<HistogramMark>& marks, double low,
                                    double high) {
  constexpr double kLastWithRoomBehind = 0.6;
  std::vector<PlacedMark> out;
  for (const HistogramMark& mark : marks) {
    if (!(mark.ms > 0)) continue;
    const double at = std::clamp(std::log(mark.ms / low) / std::log(high / low), 0.0, 1.0);
    out.push_back(
        {at, at > kLastWithRoomBehind, 0, mark.name + " " + milliseconds_text(mark.ms) + " ms"});
  }
  // Texts to the left of their lines reach over lines before them, so the last of those is topmost;
  // texts to the right reach over lines behind them, so the first of those is.
  std::vector<size_t> order(out.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (out[a].left != out[b].left) return out[a].left;
    return out[a].left ? out[a].at > out[b].at : out[a].at < out[b].at;
  });
  for (size_t row = 0; row < order.size(); ++row) out[order[row]].row = row;
  return out;
}

// Bars `most` high would be as high as the drawing.
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
  const std::vector<PlacedMark> placed = place_marks(marks, low, high);
  // The marks' texts have room above the highest bar.
  const double text_room = static_cast<double>(placed.size()) * kMarkRow;
  const double top = std::max(round_above(most, "1"), most * kHeight / (kHeight - text_room));
  PlotFrame frame;
  frame.height = kHeight;
  frame.y = linear_ticks(0, top, 4, "1");
  frame.x = logarithmic_ticks(low, high);
  frame.drawing = bars_svg(bars, top);
  frame.label = "Histogram of " + grouped(total) + " response times from " +
                milliseconds_text(low) + " to " + milliseconds_text(high) + " ms";
  std::string texts;
  for (const PlacedMark& mark : placed) {
    const double row_top = static_cast<double>(mark.row) * kMarkRow;
    frame.drawing += "<path class=\"mark\" d=\"M" + coordinate(mark.at * kPlotWidth) + " " +
                     coordinate(row_top) + "V" + coordinate(kHeight) + "\"/>";
    texts += "<text x=\"" + coordinate(mark.at * 100) + "%\" dx=\"" + (mark.left ? "-4" : "4") +
             "\" y=\"" + coordinate(row_top + 11) + "\" text-anchor=\"" +
             (mark.left ? "end" : "start") + "\">" + escape(mark.text) + "</text>";
    frame.label += ", " + mark.text;
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
