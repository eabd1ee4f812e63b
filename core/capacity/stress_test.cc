#include "core/capacity/stress.h"

#include <gtest/gtest.h>

#include "core/capacity/simulated_server_for_tests.h"

namespace plumb::capacity {
namespace {

SearchResult found(double capacity) {
  SearchResult out;
  out.outcome = Outcome::kCapacity;
  out.capacity = Edge{capacity, capacity, capacity, 0};
  Probe probe;
  probe.rate = probe.answered = capacity;
  out.probes.push_back(probe);
  return out;
}

StressResult stress_of(SimulatedServer& server, double capacity, double most_s = 600,
                       std::stop_token stop = {}) {
  NoObserver observer;
  return stress(server, found(capacity), most_s, {}, observer, server.clock(), std::move(stop));
}

SimulatedTarget even(size_t queue) {
  SimulatedTarget out;
  out.workers = 2;  // 200/s
  out.random_service = out.random_arrivals = false;
  out.queue = queue;
  return out;
}

TEST(Stress, AShortQueueBreaksByErrorsAndRecovers) {
  SimulatedServer server(even(4), 1);
  const StressResult result = stress_of(server, 200);
  EXPECT_EQ(result.breaking, Breaking::kErrors);
  EXPECT_NEAR(result.broke_at, 450, 1);  // 200 of 450 are answered
  EXPECT_NEAR(result.peak, 200, 5);
  ASSERT_TRUE(result.recovery);
  EXPECT_TRUE(result.recovery->recovered);
  EXPECT_EQ(result.recovery_rate, 100);
}

TEST(Stress, AnEndlessQueueDoesNotBreak) {
  SimulatedServer server(even(1'000'000), 1);
  const StressResult result = stress_of(server, 200);
  EXPECT_EQ(result.breaking, Breaking::kNone);
  EXPECT_EQ(result.broke_at, 0);
}

TEST(Stress, ThroughputBelowItsPeakIsACollapse) {
  SimulatedServer server(even(1'000'000), 1);
  SearchResult before = found(200);
  before.probes.back().answered = 300;  // as if it had done more before it was overloaded
  NoObserver observer;
  const StressResult result = stress(server, before, 600, {}, observer, server.clock(), {});
  EXPECT_EQ(result.breaking, Breaking::kCollapse);
  EXPECT_EQ(result.peak, 300);
}

TEST(Stress, ALimitedGeneratorEndsTheClimb) {
  SimulatedTarget target = even(1'000'000);
  target.generator_rate = 400;
  SimulatedServer server(target, 1);
  const StressResult result = stress_of(server, 200);
  EXPECT_EQ(result.breaking, Breaking::kGenerator);
  EXPECT_EQ(result.broke_at, 0);
}

TEST(Stress, ItsTimeIsBounded) {
  SimulatedServer server(even(1'000'000), 1);
  const StressResult result = stress_of(server, 200, 12);
  EXPECT_EQ(result.breaking, Breaking::kStopped);
  EXPECT_FALSE(result.recovery);
  EXPECT_LE(server.seconds(), 12);
}

}  // namespace
}  // namespace plumb::capacity
