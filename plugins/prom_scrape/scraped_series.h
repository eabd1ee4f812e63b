// Turns the lines of one page after another into series: decides for each line that is new what it
// becomes, takes its values, and emits what a whole page says at its end. Not thread-safe.
//
// Counters become totals that never fall, gauges stay gauges, a summary becomes a gauge for each of
// its quantiles and two counters, a histogram becomes HDR records of what was observed between two
// pages. Bounded in lines, metrics and series, whatever a page holds.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_SCRAPED_SERIES_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_SCRAPED_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/prom_scrape/exposition.h"
#include "plugins/prom_scrape/histogram_growth.h"
#include "plugins/prom_scrape/layer_facts.h"
#include "plugins/prom_scrape/line_index.h"
#include "plugins/prom_scrape/metric_families.h"
#include "plugins/prom_scrape/name_filter.h"
#include "plugins/prom_scrape/process_identity.h"
#include "plugins/prom_scrape/series_naming.h"
#include "plugins/prom_scrape/series_out.h"

namespace plumb::prom_scrape {

// What the end of a page showed.
struct PageVerdict {
  Continuity continuity = Continuity::kSame;
  size_t fell = 0;         // counters and histograms that fell without a restart of the process
  size_t began_anew = 0;   // those that say so by their _created
  std::string first_fell;  // one of either
};

class ScrapedSeries final : public ExpositionSink {
 public:
  // Lines kept in mind, and the bytes of their names and labels.
  static constexpr size_t kMostLines = 20'000;
  static constexpr size_t kMostLineBytes = size_t{8} << 20;

  ScrapedSeries(SeriesOut& out, NameFilter filter, size_t max_series);

  void begin_page();
  void on_type(std::string_view metric, MetricType type) override;
  void on_help(std::string_view metric, std::string_view text) override;
  void on_unit(std::string_view metric, std::string_view unit) override;
  const char* on_sample(const ExpositionSample& sample) override;
  // Emits what the page said, as of `now_ns`. `wall_seconds` is the wall clock then. `whole`: no
  // line of it is missing, so that a series which the next page has and this one lacks is new.
  PageVerdict end_page(int64_t now_ns, double wall_seconds, bool whole);
  // Emits how long the counters rested at the end.
  void finish();

  // Of all that was ever seen.
  size_t kept() const { return kept_; }
  // Series beyond max_series, lines of the last page beyond the bounds above, and the names of the
  // first few metrics with such.
  size_t beyond() const { return beyond_ + unindexed_; }
  const std::set<std::string>& beyond_names() const { return beyond_names_; }
  bool several_processes() const { return identity_.several(); }
  bool too_many_pools() const { return layer_facts_.is_full(); }
  const MetricFamilies& families() const { return families_; }
  // The sum of a metric's series on the last page that ended (of histograms and summaries, their
  // counts); nothing where it has none or a sum says nothing. In the order of families().
  std::vector<std::optional<double>> values() const;

 private:
  enum class Role : uint8_t { kLeftOut, kCounter, kGauge, kBucket, kCount, kSum, kCreated };
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Line {
    uint32_t family = 0;
    uint32_t group = kNone;
    Role role = Role::kLeftOut;
    bool sums = false;  // a sum of observations: may fall, where some were below zero
    uint64_t born = 0;  // the page it was first on
    uint64_t page = 0;  // the last page it was on
    double value = 0;   // there
    double scale = 1;
    double bound = 0;  // of a bucket
    Series series;     // of a gauge
    uint32_t counter = kNone;
    std::optional<uint32_t> standard;
  };
  struct Counter {
    CounterTotal total;
    SparseCounter out;
  };
  // The lines of one metric with the same labels, but for `le` and `quantile`.
  struct Group {
    uint32_t family = 0;
    MetricLabels labels;
    double created = std::numeric_limits<double>::quiet_NaN();
    bool began_anew = false;  // by its _created, on this page
    uint64_t born = 0;
    bool has_place = false;         // as a histogram
    std::vector<uint32_t> buckets;  // lines, ascending by bound
    uint32_t count = kNone;
    uint32_t sum = kNone;
    bool decided = false;  // whether its buckets become an HDR histogram
    bool fell = false;     // on this page
    std::optional<HistogramGrowth> growth;
    Series series;
  };

  // A line that was not there before: what becomes of it.
  uint32_t add_line(const ExpositionSample& sample);
  void decide(uint32_t id, std::string_view sample);
  void decide_bucket(uint32_t id);
  void keep_counter(Line& line, std::string_view suffix, const MetricLabels& labels);
  void keep_gauge(Line& line, std::string_view suffix);
  // Whether one more series may be kept; counts it if so.
  bool take_place(uint32_t family);
  void leave_out(uint32_t family, const char* why);
  void note_beyond(std::string_view metric);
  uint32_t group_of(uint32_t family, const MetricLabels& labels);
  // Gives the place back where it cannot be.
  std::optional<Series> declare(uint32_t family, const SeriesName& name, uint32_t kind,
                                const MetricLabels& labels);

  // The end of a page.
  bool is_on_page(uint32_t line) const { return line != kNone && lines_[line].page == page_; }
  bool is_new(uint64_t born, double created) const;
  void note_created();
  void decide_histogram(Group& group);
  void read_histogram(Group& group);
  void look_for_falls(PageVerdict& verdict);
  Continuity continuity_of(const Line& line, Continuity page) const;
  void emit_line(const Line& line, Continuity page, int64_t now_ns);
  void emit_histogram(Group& group, Continuity page, int64_t now_ns);

  SeriesOut& out_;
  const NameFilter filter_;
  const size_t max_series_;
  LayerFacts layer_facts_;
  MetricFamilies families_;
  ProcessIdentity identity_;
  LineIndex index_;
  std::vector<Line> lines_;
  std::vector<Counter> counters_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, uint32_t> by_identity_;  // name and sorted labels -> line
  std::unordered_map<std::string, uint32_t> group_by_identity_;
  std::set<std::pair<std::string, MetricLabels>> declared_;
  size_t kept_ = 0;
  size_t beyond_ = 0;
  size_t unindexed_ = 0;  // on this page
  std::set<std::string> beyond_names_;

  uint64_t page_ = 0;
  uint64_t ended_page_ = 0;  // the last that was taken for one
  bool page_before_whole_ = false;
  int64_t page_before_ns_ = 0;
  double page_before_wall_ = 0;
  bool new_lines_ = false;  // on this page
  uint32_t start_line_ = kNone;
  MetricLabels labels_;
  std::vector<CumulativeBucket> buckets_;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_SCRAPED_SERIES_H_
