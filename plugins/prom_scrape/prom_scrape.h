// The sampler: scrapes the target's own metrics and hands them on as series.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_PROM_SCRAPE_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_PROM_SCRAPE_H_

#include <plumb/plugin.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "plugins/prom_scrape/exposition.h"
#include "plugins/prom_scrape/metrics_client.h"
#include "plugins/prom_scrape/scraped_series.h"
#include "plugins/prom_scrape/series_out.h"

namespace plumb::prom_scrape {

// One scrape for each collect, and one at each stage's begin, so that what histograms say can be
// cut there. A scrape that costs much of plumb's processor time is followed by a pause.
class PromScrape final : public Sampler {
 public:
  explicit PromScrape(Host host);

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;
  void interrupt() override;

  // Of plumb's own processor time, scraping takes at most this share.
  static constexpr double kMostCpuShare = 0.01;
  static constexpr int64_t kLongestPauseNs = 60'000'000'000;

 private:
  // `stamp_ns`: the time to give to what is read; without one, the middle of the scrape.
  void scrape(std::optional<int64_t> stamp_ns);
  void fetch(int64_t began_ns, std::optional<int64_t> stamp_ns);
  // Why an answer is no page of metrics, and what to do; empty: it is one.
  std::string refusal(const MetricsPage& page) const;
  void read(const MetricsPage& page, int64_t stamp_ns);
  void go_dark(const std::string& why);
  // That there were fewer scrapes than asked for, and why; empty: there were not.
  std::string take_pause();
  void tell_health(const ExpositionSummary& page, bool cut_off);
  void tell_restarts(const PageVerdict& verdict);
  void emit_table();

  std::string url_;  // for people
  bool sends_credentials_ = false;
  size_t max_series_ = 0;
  std::atomic<bool> interrupted_{false};
  SeriesOut out_;
  std::unique_ptr<MetricsClient> client_;
  std::optional<ScrapedSeries> scraped_;
  bool read_one_ = false;
  bool several_ = false;
  int64_t last_stamp_ns_ = 0;
  int64_t next_table_ns_ = 0;
  double cost_seconds_ = 0;  // of a scrape, of plumb's processor time, on the average
  int64_t pause_ns_ = 0;     // after the last scrape's begin
  int64_t next_scrape_ns_ = 0;
  int64_t last_tick_ns_ = 0;
  bool pausing_ = false;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_PROM_SCRAPE_H_
