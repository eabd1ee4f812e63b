// The frame of a chart: ticks, and an SVG whose width follows the page. Its drawing stretches with
// the width (viewBox 0 0 1000 height, no aspect ratio kept) while strokes, dots and text do not:
// the axes' texts stand in SVGs of their own, placed by percentages. So one drawing serves a phone
// and a wide screen without a script.
#ifndef PLUMB_CORE_REPORT_SVG_PLOT_H_
#define PLUMB_CORE_REPORT_SVG_PLOT_H_

#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

inline constexpr double kPlotWidth = 1000;

struct Tick {
  double at = 0;  // 0 (left, bottom) to 1 (right, top)
  std::string text;
};

// Ticks at round numbers (1, 2, 5 times a power of ten; of 1024 for bytes) from `low` to `high`,
// about `wanted` of them, told in `unit` as facts carry it, or "ms".
std::vector<Tick> linear_ticks(double low, double high, int wanted, std::string_view unit);
// The step between two of them.
double round_tick_step(double low, double high, int wanted, std::string_view unit);
// Ticks of seconds on a clock: 5 s, 1:30.
std::vector<Tick> time_ticks(double start_s, double end_s);
// The smallest round number (with ticks' own steps) that is not below `value`; 1 for none.
double round_above(double value, std::string_view unit);
// One value as ticks and tooltips tell it.
std::string tick_text(double value, double step, std::string_view unit);

struct PlotFrame {
  std::string label;    // what the picture shows, in one sentence, for those who cannot see it
  double height = 200;  // of the drawing
  std::vector<Tick> y;
  std::vector<Tick> x;
  std::vector<Tick> top;  // texts above the drawing
  std::string drawing;    // SVG, x 0 to kPlotWidth, y 0 (top) to height
};
std::string plot_html(const PlotFrame& frame);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_PLOT_H_
