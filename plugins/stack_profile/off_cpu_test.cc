#include "plugins/stack_profile/off_cpu.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "plugins/stack_profile/stack_table.h"

namespace plumb::stack_profile {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr Whose kWorker{1, 1};
constexpr uint64_t kNoRoom = 1'000'000;  // no address of these tests

class OffCpuTest : public ::testing::Test {
 protected:
  // One wait of a thread; with a stack whose innermost address is `at`, or without when it is 0.
  void wait(Pid tid, uint64_t from_ms, uint64_t to_ms, uint64_t at, bool preempted = false) {
    if (at != 0) {
      const std::vector<uint64_t> user{at, 99};
      off_cpu.stack(tid, kWorker, from_ms * kMillisecond, {}, user);
    }
    off_cpu.out(tid, kWorker, from_ms * kMillisecond, preempted);
    off_cpu.in(tid, to_ms * kMillisecond);
  }
  // Milliseconds by innermost address; 0 for those without a stack.
  std::map<uint64_t, double> take(uint64_t until_ms) {
    std::map<uint64_t, double> out;
    off_cpu.take(
        until_ms * kMillisecond,
        [&](uint32_t stack, double seconds) { out[stacks.at(stack).user[0]] += seconds * 1000; },
        [&](Whose, OffCpu::Without why, double seconds) {
          out[why == OffCpu::Without::kNoRoom ? kNoRoom : 0] += seconds * 1000;
        });
    stacks.clear();
    return out;
  }
  StackTable stacks{100};
  OffCpu off_cpu{stacks};
};

TEST_F(OffCpuTest, TimeBetweenSwitchOutAndInIsTheStacks) {
  wait(7, 100, 150, 1);
  wait(7, 160, 165, 2);
  const auto out = take(200);
  EXPECT_NEAR(out.at(1), 50, 1e-6);
  EXPECT_NEAR(out.at(2), 5, 1e-6);
  EXPECT_EQ(out.size(), 2u);
  EXPECT_TRUE(take(300).empty());
}

TEST_F(OffCpuTest, AWaitUnderWayCountsInEachInterval) {
  const std::vector<uint64_t> user{5};
  off_cpu.stack(7, kWorker, 100 * kMillisecond, {}, user);
  off_cpu.out(7, kWorker, 100 * kMillisecond, false);
  EXPECT_NEAR(take(1100).at(5), 1000, 1e-6);
  EXPECT_NEAR(take(1600).at(5), 500, 1e-6);
  off_cpu.in(7, 1700 * kMillisecond);
  EXPECT_NEAR(take(2000).at(5), 100, 1e-6);
}

TEST_F(OffCpuTest, PreemptionIsNoWaiting) {
  wait(7, 100, 150, 1, true);
  EXPECT_TRUE(take(200).empty());
  EXPECT_NEAR(off_cpu.preempted_seconds(), 0.05, 1e-9);
}

TEST_F(OffCpuTest, WaitsWithoutAStackGoToThoseThatTookAsLong) {
  // Many short waits at one place, of which few have a stack, and one long wait at another.
  for (uint64_t i = 0; i < 100; ++i) wait(7, 100 + 3 * i, 102 + 3 * i, i % 10 == 0 ? 1 : 0);
  wait(7, 1000, 1500, 2);
  const auto out = take(2000);
  EXPECT_NEAR(out.at(1), 200, 1e-6);
  EXPECT_NEAR(out.at(2), 500, 1e-6);
  EXPECT_FALSE(out.contains(0));
}

TEST_F(OffCpuTest, ALongWaitWithoutAStackIsNotChargedToShortOnes) {
  wait(7, 100, 101, 1);
  wait(7, 200, 700, 0);
  const auto out = take(1000);
  EXPECT_NEAR(out.at(1), 1, 1e-6);
  EXPECT_NEAR(out.at(0), 500, 1e-6);
}

TEST_F(OffCpuTest, AStackOfAnEarlierSwitchIsNotUsedForALaterOne) {
  const std::vector<uint64_t> user{1};
  off_cpu.stack(7, kWorker, 100 * kMillisecond, {}, user);
  off_cpu.out(7, kWorker, 100 * kMillisecond, false);
  // The record of its switch in was lost; the next switch out has no stack.
  off_cpu.out(7, kWorker, 900 * kMillisecond, false);
  off_cpu.in(7, 1000 * kMillisecond);
  const auto out = take(1000);
  EXPECT_FALSE(out.contains(1));
  EXPECT_NEAR(out.at(0), 100, 1e-6);
}

TEST_F(OffCpuTest, AThreadSeenRunningWaitsNoMore) {
  const std::vector<uint64_t> user{1};
  off_cpu.stack(7, kWorker, 100 * kMillisecond, {}, user);
  off_cpu.out(7, kWorker, 100 * kMillisecond, false);
  off_cpu.runs(7);
  EXPECT_TRUE(take(5000).empty());
}

TEST_F(OffCpuTest, AThreadThatEndsWaitsNoMore) {
  off_cpu.out(7, kWorker, 100 * kMillisecond, false);
  off_cpu.ended(7);
  EXPECT_TRUE(take(5000).empty());
  EXPECT_EQ(off_cpu.threads(), 0u);
}

TEST_F(OffCpuTest, WhatWasSeenOfAnIntervalStandsForAllOfIt) {
  // A sleeper waits all along; switches are seen for the first 100 of 1000 ms.
  const std::vector<uint64_t> user{1};
  off_cpu.stack(7, kWorker, 0, {}, user);
  off_cpu.out(7, kWorker, 0, false);
  wait(8, 10, 20, 2);
  off_cpu.suspend(100 * kMillisecond);
  off_cpu.scale(10);
  off_cpu.resume(1000 * kMillisecond);
  const auto out = take(1000);
  EXPECT_NEAR(out.at(1), 1000, 1e-6);
  EXPECT_NEAR(out.at(2), 100, 1e-6);
  // And waits on afterwards.
  EXPECT_NEAR(take(1200).at(1), 200, 1e-6);
}

TEST_F(OffCpuTest, ClocksThatGoBackwardsTakeNothingAway) {
  const std::vector<uint64_t> user{1};
  off_cpu.stack(7, kWorker, 500 * kMillisecond, {}, user);
  off_cpu.out(7, kWorker, 500 * kMillisecond, false);
  EXPECT_TRUE(take(400).empty());
  off_cpu.in(7, 450 * kMillisecond);
  EXPECT_TRUE(take(600).empty());
}

TEST_F(OffCpuTest, SoManyThreadsAreKeptAndNoMore) {
  for (Pid tid = 1; tid < static_cast<Pid>(OffCpu::kMostThreads) + 500; ++tid) {
    off_cpu.out(tid, kWorker, 1, false);
  }
  EXPECT_EQ(off_cpu.threads(), OffCpu::kMostThreads);
}

TEST(StackTable, EqualStacksAreOneAndOthersAreNot) {
  StackTable table(3);
  const std::vector<uint64_t> a{1, 2};
  const std::vector<uint64_t> b{3};
  const auto first = table.intern({1, 1}, a, b);
  EXPECT_EQ(table.intern({1, 1}, a, b), first);
  EXPECT_NE(table.intern({1, 1}, b, a), first);  // the same addresses, divided otherwise
  EXPECT_NE(table.intern({2, 1}, a, b), first);
  EXPECT_FALSE(table.intern({3, 1}, a, b));  // full
  EXPECT_EQ(table.intern({1, 1}, a, b), first);
  EXPECT_EQ(table.at(*first).kernel.size(), 2u);
  EXPECT_EQ(table.at(*first).user[0], 3u);
  table.clear();
  EXPECT_TRUE(table.intern({3, 1}, a, b));
}

TEST(LabelTable, WhatFindsNoRoomSharesOneLabel) {
  LabelTable labels;
  EXPECT_EQ(labels.intern("app;worker"), labels.intern("app;worker"));
  for (size_t i = 0; i < LabelTable::kMost + 10; ++i) labels.intern("t" + std::to_string(i));
  EXPECT_EQ(labels.intern("one more"), 0u);
  EXPECT_EQ(labels.at(0), "[other threads]");
}

TEST_F(OffCpuTest, AStackWithoutRoomIsToldFromOneThatWasNotSampled) {
  for (uint64_t i = 0; i < 100; ++i) wait(7, 100 + i, 101 + i, i + 1);
  wait(7, 300, 350, 500);  // the table is full
  wait(7, 400, 410, 0);
  const auto out = take(500);
  EXPECT_NEAR(out.at(kNoRoom), 50, 1e-6);
  EXPECT_NEAR(out.at(0), 10, 1e-6);
  EXPECT_EQ(off_cpu.over_limit(), 1u);
}

TEST_F(OffCpuTest, ASwitchThatTwoEventsTellOfIsOneSwitch) {
  const std::vector<uint64_t> user{1, 99};
  off_cpu.stack(7, kWorker, 100 * kMillisecond, {}, user);
  off_cpu.out(7, kWorker, 100 * kMillisecond, false);
  off_cpu.out(7, kWorker, 100 * kMillisecond + 900, false);
  off_cpu.in(7, 150 * kMillisecond);
  off_cpu.in(7, 150 * kMillisecond + 900);
  const auto out = take(200);
  EXPECT_NEAR(out.at(1), 50, 1e-6);
  EXPECT_EQ(out.size(), 1u);
}

}  // namespace
}  // namespace plumb::stack_profile
