// Reads the text in which applications expose their metrics: Prometheus' format 0.0.4 and
// OpenMetrics 1.0, without being told which of the two it is. One pass over the text, nothing is
// copied; the views handed out point into it. What is no line of either format is skipped, counted
// and told. Exemplars and timestamps are checked and ignored. Work and memory are bounded by the
// text's length, whatever it holds.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_EXPOSITION_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_EXPOSITION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::prom_scrape {

enum class MetricType : uint8_t {
  kUnknown,
  kCounter,
  kGauge,
  kHistogram,
  kGaugeHistogram,
  kSummary,
  kInfo,
  kStateSet
};
std::string_view metric_type_name(MetricType type);

// Longer than this, the name and labels of one line are malformed.
inline constexpr size_t kMostSeriesBytes = 8'192;

struct ExpositionSample {
  std::string_view series;  // as written: name and labels
  std::string_view name;
  std::string_view labels;  // what stands between the braces, not yet checked: parse_labels
  double value = 0;         // may be NaN or infinite
};

class ExpositionSink {
 public:
  virtual ~ExpositionSink() = default;
  virtual void on_type(std::string_view metric, MetricType type) = 0;
  // With its escapes: unescape_help.
  virtual void on_help(std::string_view metric, std::string_view text) = 0;
  virtual void on_unit(std::string_view metric, std::string_view unit) = 0;
  // Returns nullptr, or what makes the line malformed.
  virtual const char* on_sample(const ExpositionSample& sample) = 0;
};

struct ExpositionSummary {
  size_t lines = 0;
  size_t samples = 0;  // lines that the sink took
  size_t malformed = 0;
  size_t first_malformed_line = 0;  // counted from 1; 0: none
  std::string first_malformed;      // why, and how the line begins
  bool ended = false;               // the last line is "# EOF"
};

// `whole`: nothing was cut off at the end, so a last line without a line feed is a line. Otherwise
// that line is malformed: half a number looks like a number.
ExpositionSummary read_exposition(std::string_view text, bool whole, ExpositionSink& sink);

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Parses what stands between the braces into `out`, escapes resolved, in the order written.
// Returns nullptr, or what is wrong with them.
const char* parse_labels(std::string_view text, MetricLabels& out);

std::string unescape_help(std::string_view text);

// Whether the text is a page for people (an error page, a login form) rather than metrics.
bool looks_like_html(std::string_view text);

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_EXPOSITION_H_
