#include "plugins/http_load/request_mix.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace plumb::http_load {
namespace {

TEST(RequestMix, KeepsTheProportionsOfTheWeights) {
  const std::array<double, 4> weights = {3, 1, 0.5, 5.5};
  RequestMix mix(weights, 42);
  std::array<double, 4> seen{};
  constexpr int kDraws = 1'000'000;
  for (int i = 0; i < kDraws; ++i) seen[mix.next()] += 1;
  for (size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(seen[i] / kDraws, weights[i] / 10, 0.002) << i;
}

TEST(RequestMix, GivesTheSameSequenceForTheSameSeed) {
  const std::array<double, 3> weights = {1, 2, 3};
  RequestMix one(weights, 7);
  RequestMix two(weights, 7);
  RequestMix other(weights, 8);
  int different = 0;
  for (int i = 0; i < 1'000; ++i) {
    const uint32_t next = one.next();
    ASSERT_EQ(next, two.next());
    different += next != other.next();
  }
  EXPECT_GT(different, 100);
}

TEST(RequestMix, HasOneSequenceOnEveryMachine) {
  const std::array<double, 3> weights = {1, 2, 3};
  RequestMix mix(weights, 1);
  std::string sequence;
  for (int i = 0; i < 24; ++i) sequence += static_cast<char>('0' + mix.next());
  EXPECT_EQ(sequence, "122112210211111212220010");
}

TEST(RequestMix, OfOneRequestIsThatRequest) {
  const std::array<double, 1> weights = {0.001};
  RequestMix mix(weights, 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(mix.next(), 0u);
}

}  // namespace
}  // namespace plumb::http_load
