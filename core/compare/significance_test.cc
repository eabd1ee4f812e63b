#include "core/compare/significance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb::compare {
namespace {

TEST(Significance, AdjustsPValuesAsBenjaminiAndHochbergDo) {
  // The example of their article: four of the fifteen are believed at 0.05.
  const std::vector<double> p = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  const std::vector<double> q = adjusted(p);
  EXPECT_NEAR(q[0], 0.0015, 1e-9);
  EXPECT_LE(q[3], 0.05);
  EXPECT_GT(q[4], 0.05);
  EXPECT_NEAR(q[14], 1, 1e-9);
  for (size_t i = 1; i < q.size(); ++i) EXPECT_GE(q[i], q[i - 1]);
}

TEST(Significance, TheOrderOfTheFiguresDoesNotMatter) {
  EXPECT_EQ(adjusted({0.5, 0.001}), (std::vector<double>{0.5, 0.002}));
  EXPECT_TRUE(adjusted({}).empty());
}

TEST(Significance, TheSameFigureTwiceIsNoDifference) {
  const Contrast same = contrast({{2, 0.01, 5}}, {2, 0.01, 5}, 0.01);
  EXPECT_EQ(same.difference, 0);
  EXPECT_EQ(same.p, 1);
  EXPECT_LT(same.low, 0);
  EXPECT_GT(same.high, 0);
}

TEST(Significance, AFewBlocksLeaveMoreDoubtThanMany) {
  const double few = contrast({{0, 0.0001, 5}}, {0.05, 0.0001, 5}, 0).p;
  const double many = contrast({{0, 0.0001, 50}}, {0.05, 0.0001, 50}, 0).p;
  EXPECT_GT(few, many);
  EXPECT_LT(many, 0.001);
}

TEST(Significance, OfOneBaseRunTheFloorStandsForHowMuchRunsDiffer) {
  EXPECT_LT(contrast({{0, 1e-6, 10}}, {0.02, 1e-6, 10}, 0).p, 1e-6);
  EXPECT_GT(contrast({{0, 1e-6, 10}}, {0.02, 1e-6, 10}, 0.01).p, 0.1);
}

TEST(Significance, BaseRunsThatDifferMoreThanTheirOwnSpreadWidenTheInterval) {
  const std::vector<Estimate> alike = {{0, 1e-6, 10}, {0.001, 1e-6, 10}, {-0.001, 1e-6, 10}};
  const std::vector<Estimate> apart = {{0, 1e-6, 10}, {0.05, 1e-6, 10}, {-0.05, 1e-6, 10}};
  const Estimate run{0.06, 1e-6, 10};
  EXPECT_LT(contrast(alike, run, 0.01).p, 0.001);
  EXPECT_GT(contrast(apart, run, 0.01).p, 0.1);
  // What the base runs show counts on both sides, and is never less than the floor.
  EXPECT_NEAR(between_runs(alike, 0.01).variance, 1e-4, 1e-9);
  EXPECT_GT(between_runs(apart, 0.01).variance, 1e-3);
}

TEST(Significance, FiguresWithoutAnySpreadDifferOrDoNot) {
  EXPECT_EQ(contrast({{1, 0, 1}}, {1, 0, 1}, 0).p, 1);
  EXPECT_EQ(contrast({{1, 0, 1}}, {2, 0, 1}, 0).p, 0);
}

}  // namespace
}  // namespace plumb::compare
