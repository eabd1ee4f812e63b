#include "core/compare/slice.h"

#include <algorithm>
#include <cmath>

namespace plumb::compare {
namespace {

// As facts take records into a window: intervals are cut at stage boundaries, but by another
// process's clock reading.
constexpr int64_t kSlackNs = 2'000'000;
constexpr double kLeastCell = 1;  // seconds

bool within(const HistogramRecord& record, const facts::Window& window) {
  return record.start_ns >= window.start_ns - kSlackNs && record.end_ns <= window.end_ns + kSlackNs;
}

// A record belongs to the slice that its middle lies in, so that each is in one slice only.
int64_t middle_of(const HistogramRecord& record) {
  return record.start_ns + (record.end_ns - record.start_ns) / 2;
}

void take_samples(const store::SeriesData& from, const facts::Window& window,
                  store::SeriesData& to) {
  const auto& times = from.times_ns;
  auto first = std::lower_bound(times.begin(), times.end(), window.start_ns);
  auto last = std::upper_bound(first, times.end(), window.end_ns);
  if (from.info.kind == PLUMB_KIND_COUNTER) {
    if (first != times.begin()) --first;
    if (last != times.end()) ++last;
  }
  to.times_ns.assign(first, last);
  to.values.assign(from.values.begin() + (first - times.begin()),
                   from.values.begin() + (last - times.begin()));
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

store::RunData slice(const store::RunData& run, const facts::Window& window) {
  store::RunData out;
  out.header.started_ns = run.header.started_ns;
  out.state = store::RunState::kFinished;
  out.ended_ns = window.end_ns;
  out.stages = {{PLUMB_STAGE_STEADY, "slice", window.start_ns, window.end_ns}};
  for (const store::SeriesData& series : run.series) {
    store::SeriesData part;
    part.info = series.info;
    take_samples(series, window, part);
    for (const HistogramRecord& record : series.histograms) {
      const int64_t middle = middle_of(record);
      if (middle < window.start_ns || middle >= window.end_ns) continue;
      part.histograms.push_back(record);
      // What reaches over an edge counts whole.
      part.histograms.back().start_ns = std::max(record.start_ns, window.start_ns);
      part.histograms.back().end_ns = std::min(record.end_ns, window.end_ns);
    }
    if (!part.times_ns.empty() || !part.histograms.empty()) out.series.push_back(std::move(part));
  }
  return out;
}

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
      const double at = static_cast<double>(middle_of(record) - window.start_ns) / 1e9;
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
