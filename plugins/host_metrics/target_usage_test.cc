#include "plugins/host_metrics/target_usage.h"

#include <gtest/gtest.h>

#include <vector>

#include "plugins/host_metrics/own_descriptors.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using proc::FakeProcess;
using proc::Pid;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMs = 1'000'000;

class TargetUsageTest : public ::testing::Test {
 protected:
  TargetTotals update(std::vector<Pid> pids) {
    ++seconds_;
    fake_.uptime(static_cast<double>(seconds_));
    return usage_.update(pids, seconds_ * kSecondNs);
  }
  // The process has waited for children that used so much; it ran to do so.
  void reaped(Pid pid, uint64_t user_ticks, uint64_t system_ticks = 0) {
    fake_.add({.pid = pid, .reaped_user_ticks = user_ticks, .reaped_system_ticks = system_ticks});
    fake_.thread(pid, pid, 0, ++waits_ns_);
  }
  uint64_t waits_ns_ = 0;
  FakeProc fake_;
  TargetUsage usage_{fake_.root()};
  int64_t seconds_ = 100;
};

TEST_F(TargetUsageTest, CountsFromTheFirstLookAndSumsOverThreads) {
  fake_.add({.pid = 10, .comm = "a) R 1 (b", .user_ticks = 500, .threads = 2});
  fake_.thread(10, 10, 4000 * kMs, 100 * kMs);
  fake_.thread(10, 11, 1000 * kMs, 200 * kMs);
  TargetTotals t = update({10});
  EXPECT_EQ(t.cpu_seconds, 0);
  EXPECT_EQ(t.threads, 2u);
  EXPECT_FALSE(t.busiest_thread_ratio);

  fake_.thread(10, 10, 4700 * kMs, 150 * kMs);
  fake_.thread(10, 11, 1040 * kMs, 210 * kMs);
  t = update({10});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.74);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.06);
  EXPECT_DOUBLE_EQ(t.busiest_thread_ratio.value(), 0.7);
  EXPECT_EQ(t.runnable_threads, 1u);
  EXPECT_EQ(t.resident_bytes, 10 * proc::page_bytes());
}

TEST_F(TargetUsageTest, AThreadThatEndsTakesNothingBack) {
  fake_.add({.pid = 10, .user_ticks = 100});
  fake_.thread(10, 10, 0, 0);
  fake_.thread(10, 11, 500 * kMs, 70 * kMs);
  update({10});
  fake_.thread(10, 11, 900 * kMs, 90 * kMs);
  update({10});
  // It runs 300 ms more and ends unseen: the process's own times still hold them.
  fake_.end_thread(10, 11);
  fake_.add({.pid = 10, .user_ticks = 170});
  const TargetTotals t = update({10});
  EXPECT_NEAR(t.cpu_seconds, 0.7, 0.021);
  EXPECT_LE(t.cpu_seconds, 0.7);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.02);
}

TEST_F(TargetUsageTest, AChildBornUnderWatchCountsWhole) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.add({.pid = 12, .ppid = 10, .user_ticks = 30, .start_ticks = 10150});
  fake_.thread(12, 12, 300 * kMs, 5 * kMs);
  const TargetTotals t = update({10, 12});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.3);
  EXPECT_EQ(t.processes, 2u);
}

TEST_F(TargetUsageTest, AnOldProcessThatJoinsBringsNoPastAlong) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.add({.pid = 12, .user_ticks = 90000, .start_ticks = 50});
  fake_.thread(12, 12, 900'000 * kMs, 0);
  EXPECT_EQ(update({10, 12}).cpu_seconds, 0);
}

TEST_F(TargetUsageTest, AChildThatEndsIsNotCountedAgainThroughItsParent) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  fake_.add({.pid = 12, .ppid = 10});
  fake_.thread(12, 12, 0, 0);
  update({10, 12});
  fake_.add({.pid = 12, .ppid = 10, .user_ticks = 50});
  fake_.thread(12, 12, 500 * kMs, 0);
  EXPECT_DOUBLE_EQ(update({10, 12}).cpu_seconds, 0.5);
  // It used 0.6 s in all; its parent has waited for it.
  fake_.end(12);
  reaped(10, 60);
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.6);
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.6);
}

TEST_F(TargetUsageTest, ChildrenNeverSeenAreCountedThroughTheirParent) {
  fake_.add({.pid = 10, .reaped_user_ticks = 1000});
  fake_.thread(10, 10, 0, 0);
  update({10});
  reaped(10, 1030, 5);
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.35);
}

TEST_F(TargetUsageTest, ARestartedTargetGoesOnCountingWhereTheOldOneStopped) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.thread(10, 10, 400 * kMs, 0);
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.4);
  fake_.end(10);
  EXPECT_DOUBLE_EQ(update({}).cpu_seconds, 0.4);
  fake_.add({.pid = 20, .user_ticks = 20, .start_ticks = 10350});
  fake_.thread(20, 20, 200 * kMs, 0);
  EXPECT_NEAR(update({20}).cpu_seconds, 0.6, 1e-9);
}

TEST_F(TargetUsageTest, TotalsNeverFallWhileProcessesChurn) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  TargetTotals before = update({10});
  uint64_t reaped = 0;
  for (Pid round = 0; round < 20; ++round) {
    const Pid pid = 100 + round;
    const auto born = static_cast<uint64_t>(seconds_ * 100 + 50);
    fake_.add({.pid = pid, .ppid = 10, .user_ticks = 10, .start_ticks = born});
    fake_.thread(pid, pid, 100 * kMs, 10 * kMs);
    fake_.io(pid, 100, 1000);
    std::vector<Pid> pids{10, pid};
    if (round % 3 != 0) {
      fake_.end(pid - 1);
      reaped += 12;
      this->reaped(10, reaped);
    }
    const TargetTotals now = update(pids);
    EXPECT_GE(now.cpu_seconds, before.cpu_seconds);
    EXPECT_GE(now.runqueue_seconds, before.runqueue_seconds);
    EXPECT_GE(now.written_bytes.value_or(0), before.written_bytes.value_or(0));
    before = now;
  }
  EXPECT_GE(before.cpu_seconds, 2.0);
  EXPECT_LE(before.cpu_seconds, 2.5);
}

TEST_F(TargetUsageTest, WithoutSchedulerStatisticsTicksServeAndTheRestIsAbsent) {
  fake_.add({.pid = 10, .user_ticks = 100});
  update({10});
  fake_.add({.pid = 10, .user_ticks = 130, .system_ticks = 20});
  const TargetTotals t = update({10});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.5);
  EXPECT_FALSE(t.runqueue_seconds);
  EXPECT_FALSE(t.busiest_thread_ratio);
  EXPECT_FALSE(t.read_bytes);
  EXPECT_FALSE(t.voluntary_switches);
}

TEST_F(TargetUsageTest, TornFilesAreSkippedAndNothingGoesBackwards) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 1000 * kMs, 10 * kMs);
  update({10});
  fake_.thread(10, 10, 1500 * kMs, 20 * kMs);
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.5);
  fake_.write("proc/10/task/10/schedstat", "150");
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.5);
  fake_.write("proc/10/stat", "10 (app) S 1 1 1 0");
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.5);
  fake_.write("proc/10/task/10/schedstat", "99999999999999999999999999 1 1\n");
  fake_.add({.pid = 10});
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.5);
  fake_.thread(10, 10, 1600 * kMs, 20 * kMs);
  EXPECT_NEAR(update({10}).cpu_seconds, 0.6, 1e-9);
}

TEST_F(TargetUsageTest, StorageBytesOfAChildAreNotCountedTwice) {
  fake_.add({.pid = 10});
  fake_.io(10, 5000, 700);
  fake_.add({.pid = 12, .ppid = 10});
  fake_.io(12, 0, 0);
  update({10, 12});
  fake_.io(12, 300, 40);
  TargetTotals t = update({10, 12});
  EXPECT_EQ(t.read_bytes, 300u);
  EXPECT_EQ(t.written_bytes, 40u);
  fake_.end(12);
  fake_.io(10, 5400, 740);  // 350 of the child, 50 of its own
  t = update({10});
  EXPECT_EQ(t.read_bytes, 400u);
  EXPECT_EQ(t.written_bytes, 40u);
}

TEST_F(TargetUsageTest, ContextSwitchesSumOverThreads) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  fake_.thread(10, 11, 0, 0);
  fake_.switches(10, 10, 100, 10);
  fake_.switches(10, 11, 1000, 20);
  update({10});
  fake_.thread(10, 10, 1 * kMs, 0);
  fake_.thread(10, 11, 1 * kMs, 0);
  fake_.switches(10, 10, 105, 10);
  fake_.switches(10, 11, 1100, 23);
  const TargetTotals t = update({10});
  EXPECT_EQ(t.voluntary_switches, 105u);
  EXPECT_EQ(t.involuntary_switches, 3u);
}

TEST_F(TargetUsageTest, HundredsOfWorkersFitTheUsualLimitOfDescriptors) {
  std::vector<Pid> workers;
  for (Pid pid = 1000; pid < 1180; ++pid) {
    workers.push_back(pid);
    fake_.add({.pid = pid});
    fake_.thread(pid, pid, 0, 0);
    fake_.switches(pid, pid, 1, 1);
    fake_.io(pid, 0, 0);
  }
  const size_t before = own_descriptors();
  update(workers);
  EXPECT_LE(own_descriptors() - before, 500u);
  for (Pid pid = 1160; pid < 1180; ++pid) fake_.thread(pid, pid, 10 * kMs, kMs);
  const TargetTotals t = update(workers);
  EXPECT_TRUE(usage_.look_at_threads());
  EXPECT_LE(own_descriptors() - before, 500u);
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.2);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.02);
  for (int i = 0; i < 3; ++i) update(workers);
  EXPECT_LT(own_descriptors() - before, 400u) << "the idle ones have made room";
}

TEST_F(TargetUsageTest, ThreadsThatCannotBeListedAtFirstBringNoPastAlong) {
  fake_.add({.pid = 10});
  fake_.remove("proc/10/task");
  EXPECT_EQ(update({10}).processes, 1u);
  fake_.thread(10, 10, 900'000 * kMs, 5'000 * kMs);
  TargetTotals t = update({10});
  EXPECT_EQ(t.cpu_seconds, 0);
  EXPECT_EQ(t.runqueue_seconds, 0);
  fake_.thread(10, 10, 900'100 * kMs, 5'020 * kMs);
  t = update({10});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.1);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.02);
}

TEST_F(TargetUsageTest, WithoutADescriptorToSpareNothingIsForgottenNorCountedTwice) {
  fake_.add({.pid = 10, .user_ticks = 900'000});
  fake_.thread(10, 10, 9'000'000 * kMs, 0);
  fake_.add({.pid = 11, .user_ticks = 500});
  fake_.thread(11, 11, 5'000 * kMs, 0);
  update({10, 11});
  fake_.thread(10, 10, 9'000'100 * kMs, 0);
  usage_.read_all();
  {
    const NoDescriptorLeft none;
    const TargetTotals t = usage_.update(std::vector<Pid>{10, 11}, ++seconds_ * kSecondNs);
    EXPECT_EQ(t.processes, 2u);
    EXPECT_EQ(t.threads, 2u);
  }
  fake_.thread(10, 10, 9'000'200 * kMs, 0);
  EXPECT_NEAR(update({10, 11}).cpu_seconds, 0.2, 1e-9);
}

TEST_F(TargetUsageTest, ThreadsInUninterruptibleSleepAreCounted) {
  EXPECT_FALSE(usage_.look_at_threads());
  fake_.add({.pid = 10});
  for (Pid tid = 10; tid < 15; ++tid) fake_.thread(10, tid, 0, 0, tid < 13 ? 'D' : 'S');
  update({10});
  EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 3.0);
}

TEST_F(TargetUsageTest, OnManyThreadsASampleOfThemIsScaledUp) {
  fake_.add({.pid = 10});
  for (Pid tid = 10; tid < 266; ++tid) {
    fake_.thread(10, tid, 0, 0, tid >= 26 && tid < 34 ? 'D' : 'S');
  }
  update({10});
  EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 0.0);    // it looks at the first 16,
  EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 128.0);  // at the next, half of which wait,
  EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 0.0);    // then at 128 more,
  EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 16.0);   // and round to the first
  for (Pid tid = 26; tid < 34; ++tid) fake_.thread(10, tid, 0, 0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(usage_.look_at_threads()->uninterruptible, 0.0);
}

}  // namespace
}  // namespace plumb::host_metrics
