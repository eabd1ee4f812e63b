#include "core/compare/slice.h"

#include <algorithm>
#include <cmath>

#include "core/facts/statistics.h"

namespace plumb::compare {
namespace {

constexpr double kLeastCell = 1;  // seconds

bool within(const HistogramRecord& record, const facts::Window& window) {
  const int64_t middle = facts::middle_of(record);
  return middle >= window.start_ns && middle < window.end_ns;
}

bool is_response(const store::SeriesData& series, std::string_view endpoint) {
  return series.info.name == "http_response_seconds" &&
         (endpoint.empty() || label_of(series.info.labels, "endpoint") == endpoint);
}

// How long the load plugin's intervals mostly are, in seconds.
double interval_of(const store::RunData& run, const facts::Window& window) {
  std::vector<int64_t> lengths;
  for (const store::SeriesData& series : run.series) {
    if (!is_response(series, {})) continue;
    for (const HistogramRecord& record : series.histograms)
      if (within(record, window)) lengths.push_back(record.end_ns - record.start_ns);
  }
  if (lengths.empty()) return 0;
  const auto middle = lengths.begin() + static_cast<ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return static_cast<double>(*middle) / 1e9;
}

}  // namespace

std::vector<facts::Window> split(const facts::Window& window, double seconds) {
  const double parts = std::max(1.0, std::floor(window.seconds() / seconds + 1e-6));
  const auto length = static_cast<double>(window.end_ns - window.start_ns) / parts;
  std::vector<facts::Window> out;
  int64_t start = window.start_ns;
  for (double i = 1; i <= parts; ++i) {
    const int64_t end =
        i < parts ? window.start_ns + static_cast<int64_t>(i * length) : window.end_ns;
    out.push_back({start, end});
    start = end;
  }
  return out;
}

Cells response_cells(const store::RunData& run, const facts::Window& window,
                     std::string_view endpoint) {
  const double interval = interval_of(run, window);
  if (!(interval > 0)) return {};
  const double cell_s =
      std::max({kLeastCell, interval, window.seconds() / static_cast<double>(kMostCells)});
  const std::vector<facts::Window> parts = split(window, cell_s);
  Cells out;
  out.cell_s = window.seconds() / static_cast<double>(parts.size());
  out.cells.resize(parts.size());
  for (const store::SeriesData& series : run.series) {
    if (!is_response(series, endpoint)) continue;
    const bool ok = label_of(series.info.labels, "outcome") == "ok";
    for (const HistogramRecord& record : series.histograms) {
      if (!within(record, window)) continue;
      const double at = static_cast<double>(facts::middle_of(record) - window.start_ns) / 1e9;
      const double place = std::clamp(at / out.cell_s, 0.0, static_cast<double>(parts.size() - 1));
      Cell& cell = out.cells[static_cast<size_t>(place)];
      if (ok)
        (void)cell.ok.merge(record.histogram);
      else
        cell.failed += record.histogram.count();
    }
  }
  return out;
}

}  // namespace plumb::compare
