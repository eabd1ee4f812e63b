#include "plugins/pg_stats/wait_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace plumb::pg_stats {
namespace {

using testing::ElementsAre;

std::vector<int> pids_from_to(int first, int last) {
  std::vector<int> pids(static_cast<size_t>(last - first + 1));
  std::iota(pids.begin(), pids.end(), first);
  return pids;
}

// Pid 1 holds a lock; each of 2, 3, ... waits for all that came before it, as pg_blocking_pids()
// tells of a queue.
WaitGraph queue_of(int waiters) {
  WaitGraph graph;
  for (int pid = 2; pid <= waiters + 1; ++pid) graph.add(pid, pids_from_to(1, pid - 1));
  graph.resolve();
  return graph;
}

class Queue : public testing::TestWithParam<int> {};

TEST_P(Queue, IsFollowedInAsManyStepsAsItHasPairs) {
  const int waiters = GetParam();
  const auto pairs = static_cast<uint64_t>(waiters) * static_cast<uint64_t>(waiters + 1) / 2;
  const WaitGraph graph = queue_of(waiters);
  EXPECT_LE(graph.looked_at(), 3 * pairs);
  EXPECT_THAT(graph.roots(graph.place_of(waiters + 1).roots), ElementsAre(1));
  EXPECT_EQ(graph.place_of(waiters + 1).steps, 1) << "the holder itself is one it waits for";
}

TEST_P(Queue, ThatIsAChainIsFollowedOnce) {
  const int waiters = GetParam();
  WaitGraph graph;
  for (int pid = 2; pid <= waiters + 1; ++pid) graph.add(pid, std::vector<int>{pid - 1});
  graph.resolve();
  EXPECT_LE(graph.looked_at(), 3 * static_cast<uint64_t>(waiters));
  EXPECT_EQ(graph.root_sets(), 1u);
  EXPECT_EQ(graph.place_of(waiters + 1).steps, waiters);
}

TEST_P(Queue, BehindManyHoldersIsFollowedInAsManyStepsAsItHasPairs) {
  constexpr int kHolders = 100;
  const int waiters = GetParam();
  WaitGraph graph;
  uint64_t pairs = 0;
  for (int pid = kHolders + 1; pid <= kHolders + waiters; ++pid) {
    graph.add(pid, pids_from_to(1, pid - 1));
    pairs += static_cast<uint64_t>(pid - 1);
  }
  graph.resolve();
  EXPECT_LE(graph.looked_at(), 3 * pairs + kHolders * kHolders);
  EXPECT_EQ(graph.roots(graph.place_of(kHolders + waiters).roots), pids_from_to(1, kHolders));
}

TEST_P(Queue, BehindACircleIsFollowedOnce) {
  const int waiters = GetParam();
  WaitGraph graph;
  graph.add(7, std::vector<int>{5});
  graph.add(5, std::vector<int>{6});
  graph.add(6, std::vector<int>{7});
  int before = 7;
  for (int pid = 8; pid < 8 + waiters; ++pid) {
    graph.add(pid, std::vector<int>{before, 5});
    before = pid;
  }
  graph.resolve();
  EXPECT_LE(graph.looked_at(), 6 * static_cast<uint64_t>(waiters) + 20);
  EXPECT_THAT(graph.roots(graph.place_of(before).roots), ElementsAre(5));
  EXPECT_THAT(graph.roots(graph.place_of(7).roots), ElementsAre(5));
}

INSTANTIATE_TEST_SUITE_P(OfWaiters, Queue, testing::Values(10, 1000, 5000));

TEST(WaitGraph, ACircleThatWaitsForSomebodyElseIsBehindThem) {
  WaitGraph graph;
  graph.add(2, std::vector<int>{3});
  graph.add(3, std::vector<int>{2, 9});
  graph.resolve();
  EXPECT_THAT(graph.roots(graph.place_of(2).roots), ElementsAre(9));
  EXPECT_EQ(graph.place_of(2).steps, 2);
}

TEST(WaitGraph, WhoWaitsForACircleAndForSomebodyElseIsBehindBoth) {
  WaitGraph graph;
  graph.add(2, std::vector<int>{3});
  graph.add(3, std::vector<int>{2});
  graph.add(1, std::vector<int>{2, 9});
  graph.resolve();
  EXPECT_THAT(graph.roots(graph.place_of(1).roots), ElementsAre(2, 9));
}

TEST(WaitGraph, WhoWaitsForThemselvesIsTheirOwnRoot) {
  WaitGraph graph;
  graph.add(4, std::vector<int>{4});
  graph.resolve();
  EXPECT_THAT(graph.roots(graph.place_of(4).roots), ElementsAre(4));
  EXPECT_EQ(graph.place_of(4).steps, 0);
}

}  // namespace
}  // namespace plumb::pg_stats
