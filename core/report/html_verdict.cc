#include "core/report/html_verdict.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/report/html_text.h"

namespace plumb::report {
namespace {

// A shape beside the word, so that the verdict is not told by colour alone.
std::string verdict_shape(std::string_view verdict) {
  std::string shape = "<circle cx=\"10\" cy=\"10\" r=\"8\"/>";
  if (verdict == "threat") shape = "<path d=\"M2 2H18V18H2Z\"/>";
  if (verdict == "warning") shape = "<path d=\"M10 1L19 18H1Z\"/>";
  if (verdict == "inconclusive") shape = "<path d=\"M10 1L19 10L10 19L1 10Z\"/>";
  return "<svg class=\"shape\" width=\"20\" height=\"20\" aria-hidden=\"true\">" + shape + "</svg>";
}

// The class of a verdict, from a fixed set: it becomes part of an attribute.
std::string verdict_class(const std::string& label) {
  for (const char* known : {"Stable", "Warning", "Threat"})
    if (label == known) {
      std::string out = known;
      out[0] = static_cast<char>(out[0] - 'A' + 'a');
      return out;
    }
  return "inconclusive";
}

}  // namespace

std::string verdict_head(const std::string& label, const std::string& conclusion) {
  const std::string kind = verdict_class(label);
  return "<div class=\"verdict " + kind + "\"><p class=\"label\">" + verdict_shape(kind) +
         shortened(label.empty() ? "Inconclusive" : label, 30) + "</p><p class=\"conclusion\">" +
         shortened(conclusion, 900) + "</p>";
}

std::string layer_cell(const std::string& layer) {
  static constexpr std::array<std::string_view, 8> kLayers = {
      "client", "network", "app", "database", "downstream", "host", "queue", "unexplained"};
  const bool known = std::find(kLayers.begin(), kLayers.end(), layer) != kLayers.end();
  return "<svg class=\"swatch\" width=\"11\" height=\"11\" aria-hidden=\"true\"><rect class=\"l-" +
         std::string(known ? layer : "unexplained") +
         "\" x=\"0.5\" y=\"0.5\" width=\"10\" height=\"10\"/></svg>" + shortened(layer, 30);
}

}  // namespace plumb::report
