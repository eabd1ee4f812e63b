// A log-linear (HDR) histogram of non-negative integers, written here since Debian packages none.
//
// Layout for precision p: values below 2^(p+1) have a bucket each (index = value); above, every
// octave [2^k, 2^(k+1)) has 2^p buckets of equal width 2^(k-p):
//     index = ((k - p) << p) + (value >> (k - p)),   k = floor(log2(value))
// which continues the linear part without a gap. The relative error of a bucket's midpoint is at
// most 2^-(p+1): 0.2% for the default p = 8. Histograms of one precision merge by adding counts;
// percentiles are computed from merged counts and never averaged.
//
// Not thread-safe: one writer, or a lock of the caller's.
#ifndef PLUMB_HISTOGRAM_HPP_
#define PLUMB_HISTOGRAM_HPP_

#include <plumb/abi/plugin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace plumb {

class Histogram {
 public:
  static constexpr uint32_t kDefaultPrecisionBits = 8;
  // No latency is longer and no body larger than this; larger values are recorded as it.
  static constexpr uint64_t kLargest = (uint64_t{1} << 44) - 1;  // 4.9 h in nanoseconds

  explicit Histogram(uint32_t precision_bits = kDefaultPrecisionBits) : bits_(precision_bits) {}

  static uint32_t index_of(uint64_t value, uint32_t bits) {
    if (value < (uint64_t{2} << bits)) return static_cast<uint32_t>(value);
    const uint32_t shift = static_cast<uint32_t>(std::bit_width(value)) - 1 - bits;
    return (shift << bits) + static_cast<uint32_t>(value >> shift);
  }
  // The smallest value that falls into bucket `index`, and how many values share it.
  static uint64_t lower_bound_of(uint32_t index, uint32_t bits) {
    if (index < (uint32_t{2} << bits)) return index;
    const uint32_t shift = (index >> bits) - 1;
    return (uint64_t{index} - (uint64_t{shift} << bits)) << shift;
  }
  static uint64_t width_of(uint32_t index, uint32_t bits) {
    return index < (uint32_t{2} << bits) ? 1 : uint64_t{1} << ((index >> bits) - 1);
  }

  void record(uint64_t value, uint64_t times = 1) {
    value = std::min(value, kLargest);
    add_at(index_of(value, bits_), times);
    sum_ += value * times;
    minimum_ = std::min(minimum_, value);
    maximum_ = std::max(maximum_, value);
  }

  // False, and nothing is added, when the precisions differ.
  [[nodiscard]] bool merge(const Histogram& other) {
    if (other.count_ == 0) return true;
    if (other.bits_ != bits_) return false;
    cover(other.first_, other.first_ + static_cast<uint32_t>(other.counts_.size()) - 1);
    uint64_t* const into = counts_.data() + (other.first_ - first_);
    for (size_t i = 0; i < other.counts_.size(); ++i) into[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    minimum_ = std::min(minimum_, other.minimum_);
    maximum_ = std::max(maximum_, other.maximum_);
    return true;
  }

  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = sum_ = maximum_ = 0;
    minimum_ = std::numeric_limits<uint64_t>::max();
  }

  uint32_t precision_bits() const { return bits_; }
  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  uint64_t minimum() const { return count_ ? minimum_ : 0; }
  uint64_t maximum() const { return maximum_; }
  std::optional<double> mean() const {
    if (count_ == 0) return std::nullopt;
    return static_cast<double>(sum_) / static_cast<double>(count_);
  }
  // The value at quantile q (0 to 1): the midpoint of its bucket, kept within the exact minimum
  // and maximum. Empty for an empty histogram: an unknown percentile is not zero.
  std::optional<double> quantile(double q) const {
    if (count_ == 0) return std::nullopt;
    const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
    const uint64_t wanted = std::max<uint64_t>(1, static_cast<uint64_t>(rank));
    uint64_t seen = 0;
    for (uint32_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen < wanted) continue;
      const double mid = static_cast<double>(lower_bound_of(first_ + i, bits_)) +
                         static_cast<double>(width_of(first_ + i, bits_) - 1) / 2;
      return std::clamp(mid, static_cast<double>(minimum_), static_cast<double>(maximum_));
    }
    return static_cast<double>(maximum_);
  }
  // The buckets with a count, ascending.
  std::vector<plumb_bucket> buckets() const {
    std::vector<plumb_bucket> out;
    for (uint32_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] != 0) out.push_back({first_ + i, 0, counts_[i]});
    return out;
  }
  // Rebuilds a histogram from what crossed the boundary; the caller has validated it
  // (ascending indices below bucket_limit, minimum <= maximum).
  static Histogram from_buckets(uint32_t bits, const plumb_bucket* buckets, size_t count,
                                uint64_t sum, uint64_t minimum, uint64_t maximum) {
    Histogram h(bits);
    if (count > 0) h.cover(buckets[0].index, buckets[count - 1].index);
    for (size_t i = 0; i < count; ++i) h.add_at(buckets[i].index, buckets[i].count);
    h.sum_ = sum;
    if (h.count_ != 0) {
      h.minimum_ = minimum;
      h.maximum_ = maximum;
    }
    return h;
  }
  // One past the largest index a value can have.
  static uint32_t bucket_limit(uint32_t bits) { return index_of(kLargest, bits) + 1; }

 private:
  void add_at(uint32_t index, uint64_t times) {
    // Below first_ the difference wraps round to beyond the size as well.
    if (index - first_ >= counts_.size()) cover(index, index);
    counts_[index - first_] += times;
    count_ += times;
  }
  // Makes room for the buckets from `first` to `last`.
  void cover(uint32_t first, uint32_t last) {
    if (counts_.empty()) first_ = first;
    if (first < first_) {
      counts_.insert(counts_.begin(), first_ - first, 0);
      first_ = first;
    }
    if (last - first_ >= counts_.size()) counts_.resize(last - first_ + 1);
  }

  uint32_t bits_;
  // Of the buckets from first_ on, since the values of one histogram lie near each other: those of
  // requests of 20 ms need a few hundred buckets, with 4,000 empty ones below.
  std::vector<uint64_t> counts_;
  uint32_t first_ = 0;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t minimum_ = std::numeric_limits<uint64_t>::max();
  uint64_t maximum_ = 0;
};

}  // namespace plumb

#endif  // PLUMB_HISTOGRAM_HPP_
