#include <gtest/gtest.h>

#include <cmath>
#include <plumb/histogram.hpp>
#include <random>
#include <vector>

namespace plumb {
namespace {

// The data set of HdrHistogram's own tests (HistogramDataAccessTest, raw): 10,000 values of 1,000
// and one of 100,000,000.
TEST(HistogramTest, MatchesThePublishedVectors) {
  Histogram h(10);
  h.record(1'000, 10'000);
  h.record(100'000'000);
  EXPECT_EQ(h.count(), 10'001u);
  EXPECT_EQ(h.minimum(), 1'000u);
  EXPECT_EQ(h.maximum(), 100'000'000u);
  EXPECT_NEAR(*h.mean(), (1'000.0 * 10'000 + 100'000'000.0) / 10'001, 1e-6);
  EXPECT_NEAR(*h.quantile(0.30), 1'000, 1);
  EXPECT_NEAR(*h.quantile(0.99), 1'000, 1);
  EXPECT_NEAR(*h.quantile(0.9999), 1'000, 1);
  EXPECT_NEAR(*h.quantile(0.99999), 100'000'000, 100'000);
  EXPECT_NEAR(*h.quantile(1.0), 100'000'000, 100'000'000 / 2'048.0);
}

TEST(HistogramTest, BucketsFollowOneAnotherWithoutGapOrOverlap) {
  for (const uint32_t bits : {2u, 3u, 8u, 14u}) {
    const uint32_t last = std::min(Histogram::bucket_limit(bits), 20'000u);
    for (uint32_t i = 0; i + 1 < last; ++i) {
      const uint64_t low = Histogram::lower_bound_of(i, bits);
      const uint64_t width = Histogram::width_of(i, bits);
      ASSERT_EQ(Histogram::index_of(low, bits), i);
      ASSERT_EQ(Histogram::index_of(low + width - 1, bits), i);
      ASSERT_EQ(Histogram::lower_bound_of(i + 1, bits), low + width);
    }
  }
}

TEST(HistogramTest, PinnedIndices) {
  EXPECT_EQ(Histogram::index_of(0, 8), 0u);
  EXPECT_EQ(Histogram::index_of(511, 8), 511u);
  EXPECT_EQ(Histogram::index_of(512, 8), 512u);
  EXPECT_EQ(Histogram::index_of(513, 8), 512u);
  EXPECT_EQ(Histogram::index_of(1'023, 8), 767u);
  EXPECT_EQ(Histogram::index_of(1'024, 8), 768u);
  EXPECT_EQ(Histogram::index_of(1'000'000, 8), 3'304u);
  EXPECT_EQ(Histogram::bucket_limit(8), 9'472u);
}

TEST(HistogramTest, TheRelativeErrorStaysWithinTheLayoutsBound) {
  std::mt19937_64 random(7);
  for (const uint32_t bits : {2u, 8u, 12u}) {
    for (int i = 0; i < 10'000; ++i) {
      const uint64_t value = random() >> (20 + random() % 40);
      Histogram h(bits);
      h.record(value);
      h.record(value + value / 8 + 100);  // so that the maximum does not clamp the answer
      const double error = std::abs(*h.quantile(0.5) - static_cast<double>(value));
      ASSERT_LE(error,
                static_cast<double>(value) / std::ldexp(1.0, static_cast<int>(bits) + 1) + 0.5)
          << value << " at " << bits;
    }
  }
}

TEST(HistogramTest, MergingIsAddingCounts) {
  Histogram all;
  Histogram first;
  Histogram second;
  std::mt19937_64 random(11);
  for (int i = 0; i < 5'000; ++i) {
    const uint64_t value = random() % 50'000'000;
    all.record(value);
    (i % 3 == 0 ? first : second).record(value);
  }
  ASSERT_TRUE(first.merge(second));
  EXPECT_EQ(first.count(), all.count());
  EXPECT_EQ(first.sum(), all.sum());
  EXPECT_EQ(first.minimum(), all.minimum());
  EXPECT_EQ(first.maximum(), all.maximum());
  for (const double q : {0.0, 0.5, 0.95, 0.999, 1.0}) {
    EXPECT_EQ(first.quantile(q), all.quantile(q)) << q;
  }
}

TEST(HistogramTest, DifferentPrecisionsDoNotMerge) {
  Histogram fine(10);
  Histogram coarse(4);
  coarse.record(5);
  EXPECT_FALSE(fine.merge(coarse));
  EXPECT_EQ(fine.count(), 0u);
  EXPECT_TRUE(fine.merge(Histogram(4))) << "nothing to add";
}

TEST(HistogramTest, BucketsAreEnoughToRebuildIt) {
  Histogram h;
  for (const uint64_t value : {0, 1, 511, 512, 1'000'000, 999'999'999}) h.record(value, 2);
  const auto buckets = h.buckets();
  const Histogram back = Histogram::from_buckets(h.precision_bits(), buckets.data(), buckets.size(),
                                                 h.sum(), h.minimum(), h.maximum());
  EXPECT_EQ(back.count(), h.count());
  EXPECT_EQ(back.quantile(0.5), h.quantile(0.5));
  EXPECT_EQ(back.maximum(), h.maximum());
}

TEST(HistogramTest, AnEmptyOneKnowsNoPercentile) {
  Histogram h;
  EXPECT_FALSE(h.quantile(0.99));
  EXPECT_FALSE(h.mean());
  EXPECT_EQ(h.minimum(), 0u);
  h.record(5);
  h.clear();
  EXPECT_EQ(h.count(), 0u);
  EXPECT_FALSE(h.quantile(0.5));
  EXPECT_TRUE(h.buckets().empty());
}

TEST(HistogramTest, ValuesTooLargeAreRecordedAsTheLargest) {
  Histogram h;
  h.record(UINT64_MAX);
  EXPECT_EQ(h.maximum(), Histogram::kLargest);
  EXPECT_LT(h.buckets().back().index, Histogram::bucket_limit(h.precision_bits()));
}

TEST(HistogramTest, TheOrderOfValuesDoesNotMatter) {
  const std::vector<uint64_t> values = {20'000'000, 3, 90'000'000, 0, 500, 20'000'001, 7'000};
  Histogram up;
  Histogram down;
  for (const uint64_t value : values) up.record(value);
  for (size_t i = values.size(); i-- > 0;) down.record(values[i]);
  const auto buckets_of = [](const Histogram& h) {
    std::vector<std::pair<uint32_t, uint64_t>> out;
    for (const plumb_bucket& bucket : h.buckets()) out.emplace_back(bucket.index, bucket.count);
    return out;
  };
  EXPECT_EQ(buckets_of(up), buckets_of(down));
  for (const double q : {0.0, 0.2, 0.5, 0.9, 1.0}) EXPECT_EQ(up.quantile(q), down.quantile(q));
  // Merged from parts that lie below, above and within each other.
  Histogram merged;
  for (const uint64_t value : values) {
    Histogram one;
    one.record(value);
    ASSERT_TRUE(merged.merge(one));
  }
  EXPECT_EQ(buckets_of(merged), buckets_of(up));
  merged.clear();
  EXPECT_TRUE(merged.buckets().empty());
  ASSERT_TRUE(merged.merge(up));
  EXPECT_EQ(buckets_of(merged), buckets_of(up));
  ASSERT_TRUE(merged.merge(Histogram())) << "an empty one has no buckets to make room for";
  EXPECT_EQ(merged.count(), values.size());
}

}  // namespace
}  // namespace plumb
