#include "plugins/http_load/request_mix.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "plugins/http_load/random.h"

namespace plumb::http_load {
namespace {

TEST(RequestMix, KeepsTheProportionsOfTheWeights) {
  const std::array<double, 4> weights = {3, 1, 0.5, 5.5};
  const RequestMix mix(weights);
  Random random(42);
  std::array<double, 4> seen{};
  constexpr int kDraws = 1'000'000;
  for (int i = 0; i < kDraws; ++i) seen[mix.pick(random.next())] += 1;
  for (size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(seen[i] / kDraws, weights[i] / 10, 0.002) << i;
}

TEST(RequestMix, HasOneSequenceOnEveryMachine) {
  const std::array<double, 3> weights = {1, 2, 3};
  const RequestMix mix(weights);
  Random random(1);
  std::string sequence;
  for (int i = 0; i < 24; ++i) sequence += static_cast<char>('0' + mix.pick(random.next()));
  EXPECT_EQ(sequence, "122112210211111212220010");
}

TEST(RequestMix, OfOneRequestIsThatRequest) {
  const std::array<double, 1> weights = {0.001};
  const RequestMix mix(weights);
  for (const uint64_t draw : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}})
    EXPECT_EQ(mix.pick(draw), 0u);
}

}  // namespace
}  // namespace plumb::http_load
