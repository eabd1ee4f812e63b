// Bars: a histogram of response times, and the ledger's waterfall, one bar for each line.
#ifndef PLUMB_CORE_REPORT_SVG_BARS_H_
#define PLUMB_CORE_REPORT_SVG_BARS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

struct HistogramBar {
  double from_ms = 0;
  double to_ms = 0;
  double count = 0;
};

struct HistogramMark {
  std::string name;  // p95
  double ms = 0;
};

// The figure with its table; the bars are of one ratio (a logarithmic axis) and not empty.
std::string histogram_html(const std::vector<HistogramBar>& bars,
                           const std::vector<HistogramMark>& marks);

// One bar from `start` to `end`, both 0 to 1, in the colour of its layer. It is a picture of the
// number beside it, and hidden from screen readers.
std::string waterfall_bar(double start, double end, std::string_view layer);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_BARS_H_
