#include "core/capacity/edge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace plumb::capacity {
namespace {

constexpr TrialEnd kKept = TrialEnd::kKept;
constexpr TrialEnd kHiccup = TrialEnd::kHiccup;
constexpr TrialEnd kMissed = TrialEnd::kMissed;

TEST(CapacityEdge, LiesBetweenWhatWasKeptAndWhatWasMissed) {
  const Edge edge =
      estimate_edge({{90, kKept}, {95, kKept}, {98, kKept}, {102, kMissed}, {110, kMissed}});
  EXPECT_NEAR(edge.rate, 100, 1.5);
  EXPECT_LT(edge.low, 100);
  EXPECT_GT(edge.high, 100);
}

TEST(CapacityEdge, TrialsWithoutContradictionStillLeaveAnInterval) {
  const Edge edge = estimate_edge({{98, kKept}, {102, kMissed}});
  EXPECT_GT(edge.high - edge.low, 4) << "a resample of the trials could not tell";
}

TEST(CapacityEdge, OneTrialThatContradictsTheOthersMovesItLittle) {
  const std::vector<Trial> agreed = {{50, kKept}, {90, kKept},    {95, kKept},    {98, kKept},
                                     {99, kKept}, {101, kMissed}, {103, kMissed}, {110, kMissed}};
  std::vector<Trial> disturbed = agreed;
  disturbed.push_back({60, kMissed});
  EXPECT_NEAR(estimate_edge(disturbed).rate / estimate_edge(agreed).rate, 1, 0.02);
}

TEST(CapacityEdge, ARateThatWasKeptOutweighsLowerOnesThatHadAHiccup) {
  const Edge edge = estimate_edge(
      {{40, kHiccup}, {45, kHiccup}, {60, kKept}, {70, kHiccup}, {98, kKept}, {102, kMissed}});
  EXPECT_GT(edge.rate, 90);
}

TEST(CapacityEdge, ContradictionsNearTheEdgeWidenTheInterval) {
  const Edge sharp = estimate_edge({{96, kKept}, {98, kKept}, {102, kMissed}, {104, kMissed}});
  const Edge blurred = estimate_edge({{96, kKept}, {98, kHiccup}, {102, kKept}, {104, kMissed}});
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
      trials.push_back(
          {100 * std::exp(distance), std::bernoulli_distribution(p)(random) ? kKept : kMissed});
    }
    const Edge edge = estimate_edge(trials);
    held += edge.low <= 100 && 100 <= edge.high ? 1 : 0;
  }
  EXPECT_GE(held, kRounds * 9 / 10);
}

}  // namespace
}  // namespace plumb::capacity
