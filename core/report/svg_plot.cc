#include "core/report/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/base/number_text.h"
#include "core/report/html_text.h"

namespace plumb::report {
namespace {

bool is_bytes(std::string_view unit) { return unit == "bytes" || unit == "bytes/s"; }

// The round step that gives about `wanted` steps over `range`.
double round_step(double range, int wanted, std::string_view unit) {
  const double rough = range / std::max(wanted, 1);
  if (!(rough > 0) || !std::isfinite(rough)) return 1;
  if (is_bytes(unit)) return std::pow(2.0, std::ceil(std::log2(rough)));
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power * 1.0001) return factor * power;
  return 10 * power;
}

std::string decimals(double value, double step, double scale) {
  const double shown = step * scale;
  int digits = 0;
  if (shown < 0.9999) digits = std::clamp(static_cast<int>(std::ceil(-std::log10(shown))), 0, 6);
  return grouped(value * scale, digits);
}

// Horizontal texts: the outermost ones stay inside.
std::string_view anchor_of(double at) {
  if (at < 0.03) return "start";
  return at > 0.97 ? "end" : "middle";
}

}  // namespace

std::string tick_text(double value, double step, std::string_view unit) {
  if (is_bytes(unit)) {
    const double size = std::max(std::fabs(value), std::fabs(step));
    const std::string text = bytes_text(std::fabs(value) < 1e-9 ? 0 : value);
    const size_t zero = text.find(".0 ");
    std::string out = zero != std::string::npos && size >= 1
                          ? text.substr(0, zero) + text.substr(zero + 2)
                          : text;
    return unit == "bytes/s" ? out + "/s" : out;
  }
  if (unit == "ratio") return decimals(value, step, 100) + "%";
  if (unit == "seconds") return decimals(value, step, 1) + " s";
  return decimals(value, step, 1);
}

double round_tick_step(double low, double high, int wanted, std::string_view unit) {
  return round_step(high - low, wanted, unit);
}

std::vector<Tick> linear_ticks(double low, double high, int wanted, std::string_view unit) {
  std::vector<Tick> out;
  if (!(high > low)) return out;
  const double step = round_tick_step(low, high, wanted, unit);
  for (double i = std::ceil(low / step - 1e-6) + 0.0;
       i * step <= high * (1 + 1e-9) && out.size() < 20; ++i)
    out.push_back({(i * step - low) / (high - low), tick_text(i * step, step, unit)});
  return out;
}

std::vector<Tick> time_ticks(double start_s, double end_s) {
  static constexpr std::array<double, 17> kSteps = {
      1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400};
  std::vector<Tick> out;
  if (!(end_s > start_s)) return out;
  // Texts of minutes and hours are wider, and must not touch on a phone.
  const double most = end_s <= 120 ? 8 : 5;
  double step = kSteps.back();
  for (const double candidate : kSteps)
    if ((end_s - start_s) / candidate <= most) {
      step = candidate;
      break;
    }
  for (double i = std::ceil(start_s / step - 1e-6) + 0.0;
       i * step <= end_s + 1e-6 && out.size() < 20; ++i) {
    const double t = i * step;
    std::array<char, 64> text{};
    if (end_s <= 120)
      std::snprintf(text.data(), text.size(), "%.0f s", t);
    else if (end_s < 7200)
      std::snprintf(text.data(), text.size(), "%.0f:%02.0f", std::floor(t / 60), std::fmod(t, 60));
    else
      std::snprintf(text.data(), text.size(), "%.0f:%02.0f h", std::floor(t / 3600),
                    std::floor(std::fmod(t, 3600) / 60));
    out.push_back({(t - start_s) / (end_s - start_s), text.data()});
  }
  return out;
}

double round_above(double value, std::string_view unit) {
  if (!(value > 0) || !std::isfinite(value)) return 1;
  const double step = round_step(value, 4, unit);
  // A little room above, so that the largest value is not drawn on the frame.
  return step * std::ceil(value * 1.02 / step);
}

std::string plot_html(const PlotFrame& frame) {
  const std::string height = coordinate(frame.height);
  std::string y_texts;
  std::string grid;
  for (const Tick& tick : frame.y) {
    const double y = frame.height * (1 - tick.at);
    y_texts += "<text x=\"100%\" y=\"" + coordinate(y + 4) + "\">" + escape(tick.text) + "</text>";
    grid += "M0 " + coordinate(y) + "H1000";
  }
  std::string x_texts;
  for (const Tick& tick : frame.x)
    x_texts += "<text x=\"" + coordinate(tick.at * 100) + "%\" y=\"12\" text-anchor=\"" +
               std::string(anchor_of(tick.at)) + "\">" + escape(tick.text) + "</text>";
  std::string top;
  for (const Tick& tick : frame.top)
    top += "<text x=\"" + coordinate(tick.at * 100) + "%\" y=\"10\" text-anchor=\"" +
           std::string(anchor_of(tick.at)) + "\">" + escape(tick.text) + "</text>";
  std::string out = "<div class=\"plot\">";
  if (!top.empty())
    out += "<svg class=\"top\" height=\"14\" aria-hidden=\"true\">" + top + "</svg>";
  out += "<svg class=\"y\" height=\"" + height + "\" aria-hidden=\"true\">" + y_texts + "</svg>";
  out += "<svg class=\"area\" height=\"" + height + "\" viewBox=\"0 0 1000 " + height +
         "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" + escape(frame.label) +
         "\"><path class=\"grid\" d=\"" + grid + "\"/>" + frame.drawing + "</svg>";
  out += "<svg class=\"x\" height=\"16\" aria-hidden=\"true\">" + x_texts + "</svg></div>\n";
  return out;
}

}  // namespace plumb::report
