// Lines over time, with a legend, the run's stages, and a table of the same numbers.
#ifndef PLUMB_CORE_REPORT_SVG_CHART_H_
#define PLUMB_CORE_REPORT_SVG_CHART_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/report/svg_plot.h"

namespace plumb::report {

struct ChartLine {
  std::string name;
  std::vector<std::optional<double>> values;  // as long as the axis; gaps are empty
};

struct ChartStage {
  double start_s = 0;
  double end_s = 0;
  std::string kind;  // warmup, steady, ramp, spike, cooldown
  std::string name = {};
};

// The axis all charts of a page share.
struct TimeAxis {
  double interval_s = 0;
  std::vector<double> starts_s;
  std::vector<ChartStage> stages;
  double begin_s() const { return starts_s.front(); }
  double end_s() const { return starts_s.back() + interval_s; }
};

struct TimeChart {
  std::string id;     // unique in the page, safe in an attribute
  std::string title;  // plain text, as are the lines' names
  std::string unit;   // ms, or as facts carry it
  double height = 200;
  std::vector<ChartLine> lines;
};

// Names of stages to stand above an axis, each in the middle of its stage: cut to what a phone has
// room for, and none above a stage that is too short for a text.
std::vector<Tick> stage_texts(const std::vector<ChartStage>& stages, double begin_s, double end_s);

bool has_points(const TimeChart& chart);
// The figure, as HTML. The axis must not be empty.
std::string time_chart_html(const TimeChart& chart, const TimeAxis& axis);
// What the page's script needs to tell values under the pointer.
nlohmann::json time_chart_data(const TimeChart& chart, const TimeAxis& axis);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_CHART_H_
