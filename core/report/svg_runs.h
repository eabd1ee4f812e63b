// A chart over runs: one place for each, whatever time lay between them, and marks where a figure
// changed for good.
#ifndef PLUMB_CORE_REPORT_SVG_RUNS_H_
#define PLUMB_CORE_REPORT_SVG_RUNS_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace plumb::report {

struct RunsLine {
  std::string name;                           // plain text
  std::vector<std::optional<double>> values;  // one for each run; gaps are empty
};

struct RunsChart {
  std::string id;  // unique in the page, safe in an attribute
  std::string title;
  std::string unit;
  std::vector<RunsLine> lines;
  std::vector<std::string> places;  // what each run is called, ASCII; of it the axis shows the date
  std::vector<size_t> changes = {};  // runs with which something changed
};

// The figure, as HTML; empty without any value.
std::string runs_chart_html(const RunsChart& chart);
// What the page's script needs to tell values under the pointer.
nlohmann::json runs_chart_data(const RunsChart& chart);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_RUNS_H_
