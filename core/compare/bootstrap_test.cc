#include "core/compare/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/facts/random.h"

namespace plumb::compare {
namespace {

double normal(facts::Random& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += random.unit();
  return sum - 6;
}

// A series in which each value remembers `memory` of the one before.
std::vector<double> remembering(double memory, size_t size) {
  facts::Random random(3);
  std::vector<double> out;
  double value = 0;
  for (size_t i = 0; i < size; ++i) {
    value = memory * value + std::sqrt(1 - memory * memory) * normal(random);
    out.push_back(value);
  }
  return out;
}

// Seconds of ten requests each, all of a second's as slow as the series says.
Cells cells_of(const std::vector<double>& series) {
  Cells out;
  out.cell_s = 1;
  for (const double level : series) {
    Cell cell;
    cell.ok.record(static_cast<uint64_t>(1e7 * std::exp(0.1 * level)), 10);
    out.cells.push_back(cell);
  }
  return out;
}

TEST(Bootstrap, IndependentSecondsNeedNoLongBlocks) {
  EXPECT_LT(ideal_block(remembering(0, 240)), 4);
}

TEST(Bootstrap, TheLongerTheMemoryTheLongerTheBlocks) {
  const double some = ideal_block(remembering(0.7, 240));
  const double much = ideal_block(remembering(0.95, 240));
  EXPECT_GT(some, 5);
  EXPECT_GT(much, some);
}

TEST(Bootstrap, BlocksAreNeverShorterThanAskedForNorSoLongThatFewAreLeft) {
  EXPECT_EQ(block_cells(cells_of(remembering(0, 60)), 5), 5u);
  EXPECT_LE(block_cells(cells_of(remembering(0.98, 60)), 5), 10u);
  EXPECT_EQ(block_cells(cells_of(remembering(0.98, 20)), 5), 5u);
}

TEST(Bootstrap, OfIndependentSecondsTheSpreadOfTheMeanIsWhatTheoryGives) {
  const Spread spread = resample(cells_of(remembering(0, 240)), 5, 2000, 1);
  const double theory = 0.1 * 0.1 / 240;
  EXPECT_NEAR(spread.mean / theory, 1, 0.35);
}

TEST(Bootstrap, BlocksSeeTheSpreadThatSingleSecondsHide) {
  const Cells cells = cells_of(remembering(0.8, 240));
  const double by_seconds = resample(cells, 1, 1000, 1).mean;
  const double by_blocks = resample(cells, 20, 1000, 1).mean;
  // In the long run (1 + 0.8) / (1 - 0.8) = 9 times.
  EXPECT_GT(by_blocks, 3 * by_seconds);
}

TEST(Bootstrap, TheSameSeedGivesTheSameBitsAndAnotherSeedNearlyThem) {
  const Cells cells = cells_of(remembering(0.5, 60));
  const Spread once = resample(cells, 5, 400, 7);
  const Spread again = resample(cells, 5, 400, 7);
  const Spread other = resample(cells, 5, 400, 8);
  EXPECT_EQ(once.mean, again.mean);
  EXPECT_EQ(once.quantiles, again.quantiles);
  EXPECT_NE(once.mean, other.mean);
  EXPECT_NEAR(once.mean / other.mean, 1, 0.3);
}

TEST(Bootstrap, FailuresThatComeTogetherAreSpreadWiderThanThoseThatComeEvenly) {
  Cells even = cells_of(std::vector<double>(60, 0));
  Cells bursts = even;
  for (size_t i = 0; i < 60; ++i) {
    even.cells[i].failed = 1;
    bursts.cells[i].failed = i < 6 ? 10 : 0;
  }
  EXPECT_LT(resample(even, 5, 400, 1).error_rate, 1e-12);
  EXPECT_GT(resample(bursts, 5, 400, 1).error_rate, 1e-4);
}

}  // namespace
}  // namespace plumb::compare
