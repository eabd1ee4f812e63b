#include "core/capacity/edge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace plumb::capacity {
namespace {

TEST(CapacityEdge, LiesBetweenWhatWasKeptAndWhatWasMissed) {
  const Edge edge = estimate_edge({{90, true}, {95, true}, {98, true}, {102, false}, {110, false}});
  EXPECT_NEAR(edge.rate, 100, 1.5);
  EXPECT_LT(edge.low, 100);
  EXPECT_GT(edge.high, 100);
}

TEST(CapacityEdge, TrialsWithoutContradictionStillLeaveAnInterval) {
  const Edge edge = estimate_edge({{98, true}, {102, false}});
  EXPECT_GT(edge.high - edge.low, 4) << "a resample of the trials could not tell";
}

TEST(CapacityEdge, OneTrialThatContradictsTheOthersMovesItLittle) {
  const std::vector<Trial> agreed = {{50, true}, {90, true},   {95, true},   {98, true},
                                     {99, true}, {101, false}, {103, false}, {110, false}};
  std::vector<Trial> disturbed = agreed;
  disturbed.push_back({60, false});
  EXPECT_NEAR(estimate_edge(disturbed).rate / estimate_edge(agreed).rate, 1, 0.02);
}

TEST(CapacityEdge, ContradictionsNearTheEdgeWidenTheInterval) {
  const Edge sharp = estimate_edge({{96, true}, {98, true}, {102, false}, {104, false}});
  const Edge blurred = estimate_edge({{96, true}, {98, false}, {102, true}, {104, false}});
  EXPECT_GT(blurred.high - blurred.low, sharp.high - sharp.low);
  EXPECT_GT(blurred.spread, sharp.spread);
}

// Trials of a known edge and width, at random places around it.
TEST(CapacityEdge, TheIntervalHoldsTheTruthAsOftenAsItSays) {
  std::mt19937_64 random(5);
  int held = 0;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Trial> trials;
    for (int i = 0; i < 16; ++i) {
      const double distance = std::uniform_real_distribution<>(-0.15, 0.15)(random);
      const double p = 0.5 * std::erfc(distance / 0.05 / std::sqrt(2.0));
      trials.push_back({100 * std::exp(distance), std::bernoulli_distribution(p)(random)});
    }
    const Edge edge = estimate_edge(trials);
    held += edge.low <= 100 && 100 <= edge.high ? 1 : 0;
  }
  EXPECT_GE(held, kRounds * 9 / 10);
}

}  // namespace
}  // namespace plumb::capacity
