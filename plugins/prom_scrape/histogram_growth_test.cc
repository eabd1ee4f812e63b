#include "plugins/prom_scrape/histogram_growth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace plumb::prom_scrape {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kNs = 1e9;
constexpr Continuity kSame = Continuity::kSame;
constexpr Continuity kRestarted = Continuity::kRestarted;

using Buckets = std::vector<CumulativeBucket>;

TEST(HistogramGrowth, WhatWasCountedBeforeTheFirstPageIsNotOfTheRun) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 50}, {kInfinity, 60}}, 60, 9);
  EXPECT_FALSE(growth.take(kSame));
}

TEST(HistogramGrowth, WhatIsNewSinceTheLastPageCountsFromZero) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 3}, {kInfinity, 3}}, 3, 0.15);
  const auto observed = growth.take(kRestarted);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 3u);
  EXPECT_EQ(observed->sum(), 150'000'000u);
}

TEST(HistogramGrowth, ManyObservationsAreSpreadEvenlyOverTheirBucket) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 0}, {0.2, 0}, {kInfinity, 0}}, 0, 0);
  EXPECT_FALSE(growth.take(kSame));
  growth.read(Buckets{{0.1, 0}, {0.2, 100'000}, {kInfinity, 100'000}}, 100'000, 15'000);
  const auto observed = growth.take(kSame);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 100'000u);
  EXPECT_EQ(observed->sum(), 15'000'000'000'000u);
  for (const double q : {0.1, 0.25, 0.5, 0.75, 0.9, 0.99})
    EXPECT_NEAR(*observed->quantile(q) / kNs, 0.1 + 0.1 * q, 0.005) << q;
}

TEST(HistogramGrowth, FewObservationsOfManyPagesFillTheBucketEvenlyToo) {
  HistogramGrowth growth(kNs);
  Histogram merged(HistogramGrowth::kPrecisionBits);
  growth.read(Buckets{{1, 0}, {2, 0}, {kInfinity, 0}}, 0, 0);
  (void)growth.take(kSame);
  for (int page = 1; page <= 500; ++page) {
    const double seen = page;
    growth.read(Buckets{{1, 0}, {2, seen}, {kInfinity, seen}}, seen, 1.5 * seen);
    const auto observed = growth.take(kSame);
    ASSERT_TRUE(observed);
    ASSERT_TRUE(merged.merge(*observed));
  }
  for (const double q : {0.1, 0.5, 0.9}) EXPECT_NEAR(*merged.quantile(q) / kNs, 1 + q, 0.03) << q;
}

TEST(HistogramGrowth, WhatLiesAboveTheLastBoundIsPutAtIt) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.5, 10}, {kInfinity, 10}}, 10, 1);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.5, 10}, {kInfinity, 14}}, 14, 41);
  const auto observed = growth.take(kSame);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 4u);
  EXPECT_EQ(observed->minimum(), 500'000'000u);
  EXPECT_EQ(observed->maximum(), 500'000'000u);
  // 10 s each are more than such values can sum up to.
  EXPECT_EQ(observed->sum(), 2'000'000'000u);
}

TEST(HistogramGrowth, ACountClosesBucketsThatLackTheLast) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.5, 1}}, 1, 0.1);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.5, 1}}, 3, 5);
  const auto observed = growth.take(kSame);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 2u);
  EXPECT_EQ(observed->minimum(), 500'000'000u);
}

TEST(HistogramGrowth, ARestartCountsWhatWasObservedSince) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 90}, {kInfinity, 100}}, 100, 9);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.1, 5}, {kInfinity, 5}}, 5, 0.25);
  EXPECT_TRUE(growth.fell());
  const auto observed = growth.take(kRestarted);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 5u);
  EXPECT_EQ(observed->sum(), 250'000'000u);
}

TEST(HistogramGrowth, AnotherProcessIsOnlyTakenNoteOf) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 5}, {kInfinity, 5}}, 5, 0.1);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.1, 500}, {kInfinity, 500}}, 500, 10);
  EXPECT_FALSE(growth.take(Continuity::kOther));
  growth.read(Buckets{{0.1, 502}, {kInfinity, 502}}, 502, 10.1);
  EXPECT_EQ(growth.take(kSame)->count(), 2u);
}

TEST(HistogramGrowth, OtherBoundsBeginAnewWithoutAWrongRecord) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 5}, {kInfinity, 5}}, 5, 0.1);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.1, 8}, {1, 9}, {kInfinity, 9}}, 9, 1);
  EXPECT_FALSE(growth.take(kSame));
  growth.read(Buckets{{0.1, 8}, {1, 10}, {kInfinity, 10}}, 10, 1.5);
  EXPECT_EQ(growth.take(kSame)->count(), 1u);
}

TEST(HistogramGrowth, AHistogramReadWhileItWasCountingNeitherFallsNorCountsTwice) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 10}, {0.2, 8}, {kInfinity, 12}}, 12, 1);
  EXPECT_FALSE(growth.take(kSame));
  growth.read(Buckets{{0.1, 9}, {0.2, 11}, {kInfinity, 12}}, 12, 1);
  EXPECT_FALSE(growth.take(kSame));
  growth.read(Buckets{{0.1, 10}, {0.2, 11}, {kInfinity, 13}}, 13, 1.3);
  EXPECT_FALSE(growth.fell());
  const auto after = growth.take(kSame);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->count(), 1u);
}

TEST(HistogramGrowth, NumbersThatAreNoCountsGiveNothing) {
  for (const double bad : {-1.0, kUnknown, kInfinity, 1e300}) {
    HistogramGrowth growth(kNs);
    growth.read(Buckets{{0.1, 1}, {kInfinity, 2}}, 2, 1);
    (void)growth.take(kSame);
    growth.read(Buckets{{0.1, 1}, {kInfinity, bad}}, 3, 1);
    EXPECT_FALSE(growth.take(kSame)) << bad;
    growth.read(Buckets{{0.1, 1}, {kInfinity, 3}}, 3, 1);
    EXPECT_FALSE(growth.take(kSame)) << "what was known is gone";
    growth.read(Buckets{{0.1, 1}, {kInfinity, 4}}, 4, 1);
    EXPECT_TRUE(growth.take(kSame));
  }
}

TEST(HistogramGrowth, CountsThatWouldOverflowTheSumGiveNothing) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{10'000, 0}, {kInfinity, 0}}, 0, 0);
  (void)growth.take(kSame);
  growth.read(Buckets{{10'000, 1e12}, {kInfinity, 1e12}}, 1e12, 1e16);
  EXPECT_FALSE(growth.take(kSame));
}

TEST(HistogramGrowth, ObservationsBelowZeroAreZeroAndAnUnknownSumIsNone) {
  HistogramGrowth growth(1);
  growth.read(Buckets{{-5, 0}, {0, 0}, {10, 0}, {kInfinity, 0}}, 0, kUnknown);
  (void)growth.take(kSame);
  growth.read(Buckets{{-5, 1}, {0, 2}, {10, 3}, {kInfinity, 3}}, 3, kUnknown);
  const auto observed = growth.take(kSame);
  ASSERT_TRUE(observed);
  EXPECT_EQ(observed->count(), 3u);
  EXPECT_EQ(observed->minimum(), 0u);
  EXPECT_LE(observed->maximum(), 10u);
}

TEST(HistogramGrowth, NothingObservedIsNoRecord) {
  HistogramGrowth growth(kNs);
  growth.read(Buckets{{0.1, 5}, {kInfinity, 5}}, 5, 0.1);
  (void)growth.take(kSame);
  growth.read(Buckets{{0.1, 5}, {kInfinity, 5}}, 5, 0.1);
  EXPECT_FALSE(growth.take(kSame));
}

}  // namespace
}  // namespace plumb::prom_scrape
