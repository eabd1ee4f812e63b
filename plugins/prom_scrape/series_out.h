// Where samples leave the plugin: one batch for each page. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_SERIES_OUT_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_SERIES_OUT_H_

#include <plumb/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plumb::prom_scrape {

class SeriesOut {
 public:
  explicit SeriesOut(Host host) : host_(host) {}

  // Nothing when the host refuses it, which is counted.
  std::optional<Series> declare(const SeriesSpec& spec) {
    const Result<Series> series = host_.declare(spec);
    if (series) return series.value();
    ++refused_;
    return std::nullopt;
  }
  // `value` is finite; per series the times ascend.
  void add(Series series, int64_t time_ns, double value) {
    batch_.push_back({series.id, 0, time_ns, value});
  }
  void add(Series series, int64_t start_ns, int64_t end_ns, const Histogram& histogram) {
    // The host counts what it drops, and says so in the health.
    (void)host_.emit(series, start_ns, end_ns, histogram);
  }
  void flush() {
    if (!batch_.empty()) (void)host_.emit(batch_);
    batch_.clear();
  }
  size_t refused() const { return refused_; }

 private:
  Host host_;
  std::vector<plumb_sample> batch_;
  size_t refused_ = 0;
};

// A counter that is told when it grows, and now and then while it does not. Between two samples a
// counter is taken to grow evenly, so one that rested is told as of its last rest first.
class SparseCounter {
 public:
  static constexpr int64_t kEveryNs = 10'000'000'000;

  void begin(Series series) { series_ = series; }
  // It was zero at `time_ns`, before it was first seen.
  void was_zero(SeriesOut& out, int64_t time_ns) { tell(out, time_ns, 0); }
  void add(SeriesOut& out, int64_t time_ns, double total) {
    if (told_ns_ && total != told_ && seen_ns_ > *told_ns_) tell(out, seen_ns_, told_);
    if (!told_ns_ || total != told_ || time_ns - *told_ns_ >= kEveryNs) tell(out, time_ns, total);
    seen_ns_ = time_ns;
  }
  // Tells how long it rested at the end.
  void finish(SeriesOut& out) {
    if (told_ns_ && seen_ns_ > *told_ns_) tell(out, seen_ns_, told_);
  }

 private:
  void tell(SeriesOut& out, int64_t time_ns, double total) {
    out.add(series_, time_ns, total);
    told_ns_ = time_ns;
    told_ = total;
  }

  Series series_;
  std::optional<int64_t> told_ns_;
  double told_ = 0;
  int64_t seen_ns_ = 0;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_SERIES_OUT_H_
