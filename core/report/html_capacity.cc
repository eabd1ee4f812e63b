#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/svg_plot.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr double kCurveHeight = 190;
constexpr int kCurveSteps = 80;
constexpr size_t kMostForecasts = 12;

std::string estimate_text(const json& estimate, std::string_view unit) {
  const auto value = number(estimate, "value");
  const auto low = number(estimate, "low");
  const auto high = number(estimate, "high");
  if (!value) return "–";
  std::string out = value_text(*value, unit);
  if (low && high) out += " (" + value_text(*low, unit) + " to " + value_text(*high, unit) + ")";
  return escape(out);
}

struct Curve {
  double lambda = 0;
  double sigma = 0;
  double kappa = 0;
  double rate_at(double n) const {
    return lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
  }
};

// The slices as dots, the law as a line through them.
std::string law_chart(const json& law) {
  const auto value = [&](const char* name) {
    return number(member(law, name), "value").value_or(0);
  };
  const Curve curve{value("lambda"), value("sigma"), value("kappa")};
  double most = 1;
  double top = 0;
  for (const json& point : list(law, "points")) {
    if (!point.is_array() || point.size() != 2) continue;
    most = std::max(most, number(point[0]).value_or(0));
    top = std::max(top, number(point[1]).value_or(0));
  }
  most = round_above(most, "1");
  for (int i = 1; i <= kCurveSteps; ++i) top = std::max(top, curve.rate_at(most * i / kCurveSteps));
  top = round_above(top, "requests/s");
  PlotFrame frame;
  frame.height = kCurveHeight;
  frame.y = linear_ticks(0, top, 4, "requests/s");
  frame.x = linear_ticks(0, most, 6, "1");
  frame.label = "Throughput over requests in flight, with the fitted law";
  const auto place = [&](double n, double rate) {
    return coordinate(kPlotWidth * n / most) + " " + coordinate(kCurveHeight * (1 - rate / top));
  };
  std::string path;
  for (int i = 1; i <= kCurveSteps; ++i) {
    const double n = most * i / kCurveSteps;
    path += (path.empty() ? "M" : "L") + place(n, std::min(top, curve.rate_at(n)));
  }
  frame.drawing = "<path class=\"line s0\" d=\"" + path + "\"/>";
  for (const json& point : list(law, "points")) {
    if (!point.is_array() || point.size() != 2) continue;
    const std::string at = place(number(point[0]).value_or(0), number(point[1]).value_or(0));
    frame.drawing += "<path class=\"dot s1\" d=\"M" + at + "h0\"/>";
  }
  return "<figure class=\"chart\" id=\"chart-law\"><figcaption>Throughput over requests in flight "
         "<span class=\"unit\">requests/s</span></figcaption>" +
         plot_html(frame) + "</figure>\n";
}

std::string law_words(const json& law) {
  std::string out =
      "<p>At most about <b>" + estimate_text(member(law, "peak_rate"), "requests/s") + "</b>";
  if (member(law, "peak_in_flight").is_object())
    out += ", with " + estimate_text(member(law, "peak_in_flight"), "1") +
           " requests in flight; more of them make it slower";
  else
    out += ", to which throughput comes ever nearer";
  out += ". It bends at about " + plain_number(number(law, "knee_in_flight"), "1") +
         " in flight. One request at a time achieves " +
         estimate_text(member(law, "lambda"), "requests/s") + "; a share of " +
         estimate_text(member(law, "sigma"), "ratio") +
         " of the work has to wait its turn (contention), and each pair of requests costs " +
         estimate_text(member(law, "kappa"), "ratio") + " more (coherency). The law is " +
         plain_number(number(law, "error"), "ratio") + " off on average.</p>";
  return out;
}

}  // namespace

std::string capacity_section(HtmlPage& page) {
  const json& model = member(page.report, "capacity_model");
  if (!model.is_object()) return {};
  const json& law = member(model, "law");
  std::string body;
  if (law.is_object()) body = law_words(law) + law_chart(law);
  const json& resources = list(model, "resources");
  if (!resources.empty()) {
    HtmlTable table("capacity-table", "What fills up as the load grows",
                    {{"Resource", ColumnKind::kLong},
                     {"Used", ColumnKind::kNumber},
                     {"Full at", ColumnKind::kNumber},
                     {"From", ColumnKind::kLong}});
    for (size_t i = 0; i < resources.size() && i < kMostForecasts; ++i)
      table.add_row({shortened(text(resources[i], "resource"), 80),
                     plain_number(number(resources[i], "utilisation"), "ratio"),
                     plain_number(number(resources[i], "full_at"), "requests/s"),
                     flag(resources[i], "extrapolated")
                         ? "one level of load, assuming that idle it is unused"
                         : "how it grew with the load"});
    body += table.html();
  }
  if (body.empty()) return {};
  if (const std::string refused = text(model, "refused"); !refused.empty())
    body += "<p class=\"soft\">No scalability law: " + shortened(refused, 300) + ".</p>";
  return page.section("capacity", "How far it could go", body);
}

}  // namespace plumb::report
