#include "core/report/svg_difference.h"

#include <algorithm>

#include "core/report/html_text.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

constexpr double kLeastWidth = 4;

// The place of a value, 0 to kPlotWidth.
double place(double value, double reach) {
  return kPlotWidth / 2 * (1 + std::clamp(value / reach, -1.0, 1.0));
}

std::string rect(double from, double to, double y, double height, std::string_view tone) {
  const double width = std::max(kLeastWidth, to - from);
  return "<rect class=\"" + std::string(tone) + "\" x=\"" +
         coordinate(std::clamp(from, 0.0, kPlotWidth - width)) + "\" y=\"" + coordinate(y) +
         "\" width=\"" + coordinate(width) + "\" height=\"" + coordinate(height) + "\"/>";
}

std::string framed(const std::string& drawing) {
  return "<svg class=\"fall\" viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\"><path class=\"grid\" d=\"M0 0V14M250 0V14M750 0V14M1000 0V14\"/>"
         "<path class=\"zero\" d=\"M500 0V14\"/>" +
         drawing + "</svg>";
}

}  // namespace

std::string_view difference_tone(std::string_view verdict) {
  if (verdict == "regressed") return "worse";
  return verdict == "improved" ? "better" : "alike";
}

std::string interval_bar(double low, double value, double high, double reach,
                         std::string_view verdict) {
  if (!(reach > 0)) return framed("");
  const std::string_view tone = difference_tone(verdict);
  const double at = place(value, reach);
  return framed(rect(place(low, reach), place(high, reach), 5, 4, tone) +
                rect(at - 4, at + 4, 1.5, 11, tone));
}

std::string change_bar(double value, double reach, std::string_view verdict) {
  if (!(reach > 0) || value == 0) return framed("");
  const double at = place(value, reach);
  return framed(rect(std::min(at, kPlotWidth / 2), std::max(at, kPlotWidth / 2), 2, 10,
                     difference_tone(verdict)));
}

}  // namespace plumb::report
