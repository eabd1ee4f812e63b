#include "plugins/prom_scrape/histogram_growth.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace plumb::prom_scrape {
namespace {

// Up to so many observations of one bucket and interval are placed one by one; more are spread
// over as many places.
constexpr uint64_t kPlaces = 32;
// The fractional parts of multiples of the golden ratio fill an interval evenly, however many.
constexpr double kGolden = 0.6180339887498949;
// Counts beyond this are no counts, and would overflow the sum.
constexpr double kMostObservations = 1e12;
constexpr long double kMostSum = 1.8e19L;

uint64_t to_value(double scaled) {
  if (!(scaled > 0)) return 0;
  return static_cast<uint64_t>(std::min(scaled, static_cast<double>(Histogram::kLargest)));
}

bool is_count(double value) { return value >= 0 && value <= kMostObservations; }

}  // namespace

void HistogramGrowth::read(std::span<const CumulativeBucket> buckets, double count, double sum) {
  read_.clear();
  sum_read_ = sum;
  // A histogram read while it was counting may have a bucket behind the one below it.
  double so_far = 0;
  for (const CumulativeBucket& bucket : buckets) {
    if (std::isnan(bucket.bound) || !is_count(bucket.cumulative)) {
      read_.clear();
      return;
    }
    const double cumulative = std::max(std::floor(bucket.cumulative), so_far);
    read_.push_back({bucket.bound, static_cast<uint64_t>(cumulative - so_far)});
    so_far = cumulative;
  }
  if (read_.empty() || !std::isfinite(read_.back().bound) || !is_count(count)) return;
  const double beyond = std::max(0.0, std::floor(count) - so_far);
  read_.push_back({std::numeric_limits<double>::infinity(), static_cast<uint64_t>(beyond)});
}

uint64_t HistogramGrowth::observations(const std::vector<Bucket>& buckets) {
  uint64_t out = 0;
  for (const Bucket& bucket : buckets) out += bucket.counted;
  return out;
}

bool HistogramGrowth::fell() const {
  return !read_.empty() && observations(read_) < observations(taken_);
}

void HistogramGrowth::place(double lower, Bucket& bucket, uint64_t count, Histogram& out) const {
  const double from = std::max(0.0, lower) * scale_;
  const double upper = std::isfinite(bucket.bound) ? bucket.bound * scale_ : from;
  const double width = std::max(0.0, upper - from);
  if (count <= kPlaces) {
    for (uint64_t i = 0; i < count; ++i) {
      bucket.placed = (bucket.placed + 1) % (1u << 20);
      const double turns = static_cast<double>(bucket.placed) * kGolden;
      out.record(to_value(from + width * (turns - std::floor(turns))));
    }
    return;
  }
  for (uint64_t i = 0; i < kPlaces; ++i) {
    const uint64_t here = count / kPlaces + (i < count % kPlaces ? 1 : 0);
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(kPlaces);
    out.record(to_value(from + width * share), here);
  }
}

Histogram HistogramGrowth::with_exact_sum(Histogram spread, double sum_grew) const {
  if (!std::isfinite(sum_grew) || sum_grew < 0) return spread;
  const auto count = static_cast<long double>(spread.count());
  const long double exact = std::clamp(static_cast<long double>(sum_grew),
                                       static_cast<long double>(spread.minimum()) * count,
                                       static_cast<long double>(spread.maximum()) * count);
  const auto filled = spread.buckets();
  return Histogram::from_buckets(kPrecisionBits, filled.data(), filled.size(),
                                 static_cast<uint64_t>(exact), spread.minimum(), spread.maximum());
}

std::optional<Histogram> HistogramGrowth::take(Continuity continuity) {
  std::swap(taken_, read_);
  const double sum_then = std::exchange(sum_taken_, sum_read_);
  // From here on `taken_` is what was read last, and `read_` what was taken before it.
  const bool anew = continuity == Continuity::kRestarted;
  const bool comparable =
      taken_.size() == read_.size() &&
      std::equal(taken_.begin(), taken_.end(), read_.begin(),
                 [](const Bucket& a, const Bucket& b) { return a.bound == b.bound; });
  if (continuity == Continuity::kOther || (!comparable && !anew)) return std::nullopt;

  Histogram spread(kPrecisionBits);
  const uint64_t then = anew ? 0 : observations(read_);
  // What the buckets grew by is no more than that, even if they were read while they were counting.
  uint64_t left = std::max(observations(taken_), then) - then;
  double lower = 0;
  long double most = 0;
  for (size_t i = 0; i < taken_.size(); ++i) {
    Bucket& bucket = taken_[i];
    if (comparable) bucket.placed = read_[i].placed;
    const uint64_t counted_then = anew ? 0 : read_[i].counted;
    const uint64_t grew = std::min(left, std::max(bucket.counted, counted_then) - counted_then);
    left -= grew;
    const double upper = std::isfinite(bucket.bound) ? bucket.bound : lower;
    most += static_cast<long double>(grew) * static_cast<long double>(to_value(upper * scale_));
    if (grew > 0 && most < kMostSum) place(lower, bucket, grew, spread);
    lower = upper;
  }
  if (spread.count() == 0 || most >= kMostSum) return std::nullopt;
  return with_exact_sum(std::move(spread), (sum_taken_ - (anew ? 0 : sum_then)) * scale_);
}

}  // namespace plumb::prom_scrape
