// Turns the cumulative buckets of a scraped histogram into what was observed between two scrapes,
// as an HDR histogram.
//
// Within a bucket the observations are taken to lie evenly, as Prometheus' histogram_quantile does:
// a bucket's few observations of one interval take places in it that fill it evenly in the long
// run, many are spread over it at once. Those above the last bound are put at that bound, since
// nothing more is known of them; so is the exact sum used only as far as such values can have it.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_HISTOGRAM_GROWTH_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_HISTOGRAM_GROWTH_H_

#include <cstdint>
#include <optional>
#include <plumb/histogram.hpp>
#include <span>
#include <vector>

#include "plugins/prom_scrape/counter_total.h"

namespace plumb::prom_scrape {

struct CumulativeBucket {
  double bound = 0;       // upper; +infinity for the last
  double cumulative = 0;  // observations up to it
};

class HistogramGrowth {
 public:
  // A scraped bound times `scale` is what the HDR histogram counts (nanoseconds, bytes, ...).
  // 32 buckets to the octave: finer than what the scraped bounds can tell.
  explicit HistogramGrowth(double scale) : scale_(scale) {}
  static constexpr uint32_t kPrecisionBits = 5;

  // Takes what was scraped now: `buckets` ascend by bound; where the last of them is finite,
  // `count` (NaN: unknown) closes them. `sum` is in scraped units, NaN when unknown.
  void read(std::span<const CumulativeBucket> buckets, double count, double sum);
  // Whether what was read has fewer observations than what was read before: it began anew.
  bool fell() const;
  // What was observed between the last two readings. After the first: what was observed since zero
  // if `continuity` is kRestarted, else nothing. Nothing also when the bounds are others than
  // before, when a number read is none, or when there was no observation.
  std::optional<Histogram> take(Continuity continuity);

 private:
  struct Bucket {
    double bound;
    uint64_t counted = 0;  // observations in this bucket alone
    uint64_t placed = 0;   // of them, those placed one by one
  };
  static uint64_t observations(const std::vector<Bucket>& buckets);
  void place(double lower, Bucket& bucket, uint64_t count, Histogram& out) const;
  Histogram with_exact_sum(Histogram spread, double sum_grew) const;

  const double scale_;
  std::vector<Bucket> taken_;
  std::vector<Bucket> read_;  // empty: what was read is no histogram
  double sum_taken_ = 0;
  double sum_read_ = 0;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_HISTOGRAM_GROWTH_H_
