// What TargetUsage reads, and what it spares itself; and what it learns from delay accounting.
#include "plugins/host_metrics/target_threads.h"

#include <gtest/gtest.h>

#include "plugins/host_metrics/target_memory.h"
#include "plugins/host_metrics/target_table.h"
#include "plugins/host_metrics/target_usage.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using proc::Pid;

constexpr int64_t kSecondLong = 1'000'000'000;
constexpr uint64_t kMilli = 1'000'000;

class FakeDelays final : public DelaySource {
 public:
  explicit FakeDelays(const proc::Delays* delays) : delays_(delays) {}
  Result<proc::Delays> of_process(Pid) override {
    ++asked;
    if (delays_ == nullptr) return Status::permission_denied("no CAP_NET_ADMIN");
    return *delays_;
  }
  int asked = 0;

 private:
  const proc::Delays* delays_;
};

// Fails with `failure` unless that is OK.
class FailingDelays final : public DelaySource {
 public:
  FailingDelays(const proc::Delays* delays, const Status* failure, int* asked = nullptr)
      : delays_(delays), failure_(failure), asked_(asked) {}
  Result<proc::Delays> of_process(Pid) override {
    if (asked_ != nullptr) ++*asked_;
    if (!failure_->is_ok()) return *failure_;
    return *delays_;
  }

 private:
  const proc::Delays* delays_;
  const Status* failure_;
  int* asked_;
};

class TargetDelaysTest : public ::testing::Test {
 protected:
  void use(const proc::Delays* delays) {
    auto source = std::make_unique<FakeDelays>(delays);
    asked_ = &source->asked;
    usage_ = std::make_unique<TargetUsage>(fake_.root(), std::move(source));
  }
  TargetTotals update(std::vector<Pid> pids) {
    ++seconds_;
    fake_.uptime(static_cast<double>(seconds_));
    return usage_->update(pids, seconds_ * kSecondLong);
  }
  FakeProc fake_;
  proc::Delays delays_;
  std::unique_ptr<TargetUsage> usage_ = std::make_unique<TargetUsage>(fake_.root());
  int64_t seconds_ = 100;
  const int* asked_ = nullptr;
};

TEST_F(TargetDelaysTest, AThreadThatSleptLongIsReadAgainWhenTheProcessUsedMoreThanTheOthers) {
  fake_.add({.pid = 10, .threads = 3});
  for (Pid tid = 10; tid < 13; ++tid) fake_.thread(10, tid, 0, 0);
  for (int i = 0; i < 6; ++i) update({10});
  fake_.add({.pid = 10, .user_ticks = 50, .threads = 3});
  fake_.thread(10, 12, 500 * kMilli, 3 * kMilli);
  const TargetTotals t = update({10});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.5);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.003);
  EXPECT_EQ(t.runnable_threads, 1u);
}

TEST_F(TargetDelaysTest, SleepingThreadsAreReadAgainInTheEnd) {
  fake_.add({.pid = 10, .threads = 2});
  fake_.thread(10, 10, 0, 0);
  fake_.thread(10, 11, 0, 0);
  for (int i = 0; i < 6; ++i) update({10});
  fake_.thread(10, 11, 2 * kMilli, kMilli);  // less than a tick
  TargetTotals t;
  for (int i = 0; i < 8; ++i) t = update({10});
  EXPECT_DOUBLE_EQ(t.cpu_seconds, 0.002);
  fake_.thread(10, 11, 3 * kMilli, kMilli);
  usage_->read_all();
  EXPECT_DOUBLE_EQ(update({10}).cpu_seconds, 0.003);
}

TEST_F(TargetDelaysTest, UserAndSystemTimeSumToTheWhole) {
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.add({.pid = 10, .user_ticks = 30, .system_ticks = 10});
  fake_.thread(10, 10, 400 * kMilli, 0);
  TargetTotals t = update({10});
  EXPECT_DOUBLE_EQ(t.user_seconds, 0.3);
  EXPECT_DOUBLE_EQ(t.system_seconds, 0.1);
  fake_.add({.pid = 10, .user_ticks = 30, .system_ticks = 50});
  fake_.thread(10, 10, 800 * kMilli, 0);
  const TargetTotals later = update({10});
  EXPECT_DOUBLE_EQ(later.user_seconds + later.system_seconds, 0.8);
  EXPECT_GE(later.user_seconds, t.user_seconds);
}

TEST_F(TargetDelaysTest, PageFaultsCountFromTheFirstLook) {
  fake_.add({.pid = 10, .minor_faults = 1000, .major_faults = 5});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.add({.pid = 10, .minor_faults = 1200, .major_faults = 7});
  fake_.thread(10, 10, kMilli, 0);
  const TargetTotals t = update({10});
  EXPECT_EQ(t.minor_faults, 200u);
  EXPECT_EQ(t.major_faults, 2u);
}

TEST_F(TargetDelaysTest, DelayAccountingOfTheWholeProcessCountsFromTheFirstLook) {
  fake_.write("proc/sys/kernel/task_delayacct", "1\n");
  use(&delays_);
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  delays_ = {.runqueue_ns = 7000 * kMilli,
             .block_io_ns = 900 * kMilli,
             .swap_in_ns = 0,
             .reclaim_ns = 0,
             .thrashing_ns = 0};
  EXPECT_EQ(update({10}).block_io_seconds, 0.0);
  delays_.block_io_ns += 250 * kMilli;
  delays_.reclaim_ns += 30 * kMilli;
  // Threads that ended took their waiting along; the process's account holds it.
  delays_.runqueue_ns += 80 * kMilli;
  fake_.thread(10, 10, kMilli, kMilli);
  const TargetTotals t = update({10});
  EXPECT_DOUBLE_EQ(t.block_io_seconds.value(), 0.25);
  EXPECT_DOUBLE_EQ(t.memory_seconds.value(), 0.03);
  EXPECT_DOUBLE_EQ(t.runqueue_seconds.value(), 0.08);
  delays_.block_io_ns = 0;  // never falls
  fake_.thread(10, 10, 2 * kMilli, kMilli);
  EXPECT_DOUBLE_EQ(update({10}).block_io_seconds.value(), 0.25);
}

TEST_F(TargetDelaysTest, WithoutPrivilegeThreadsAreAsked) {
  fake_.write("proc/sys/kernel/task_delayacct", "1\n");
  use(nullptr);
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.thread(10, 10, kMilli, 0);
  update({10});
  fake_.thread(10, 10, 2 * kMilli, 0);
  fake_.write("proc/10/task/10/stat", proc::FakeProcess{.pid = 10, .block_delay_ticks = 12}.stat());
  const TargetTotals t = update({10});
  EXPECT_DOUBLE_EQ(t.block_io_seconds.value(), 0.12);
  EXPECT_FALSE(t.memory_seconds);
}

TEST_F(TargetDelaysTest, AnAnswerThatFailsToComeIsAskedForAgainAndNothingCountsTwice) {
  fake_.write("proc/sys/kernel/task_delayacct", "1\n");
  Status failure;
  usage_ = std::make_unique<TargetUsage>(fake_.root(),
                                         std::make_unique<FailingDelays>(&delays_, &failure));
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  // A thread born under watch, whose waiting the process's account holds.
  fake_.add({.pid = 10, .threads = 2});
  fake_.thread(10, 10, kMilli, 0);
  fake_.thread(10, 11, kMilli, 0);
  fake_.write("proc/10/task/11/stat", proc::FakeProcess{.pid = 11, .block_delay_ticks = 10}.stat());
  delays_.block_io_ns = 100 * kMilli;
  EXPECT_DOUBLE_EQ(update({10}).block_io_seconds.value(), 0.1);

  failure = Status::unavailable("no answer in time");
  delays_.block_io_ns = 250 * kMilli;
  fake_.thread(10, 10, 2 * kMilli, 0);
  EXPECT_FALSE(update({10}).block_io_seconds) << "unknown now, not what it was";
  failure = Status::ok();
  fake_.thread(10, 10, 3 * kMilli, 0);
  fake_.thread(10, 11, 2 * kMilli, 0);
  EXPECT_DOUBLE_EQ(update({10}).block_io_seconds.value(), 0.25);
}

TEST_F(TargetDelaysTest, WhoNeverAnswersIsAskedEverMoreRarely) {
  Status failure = Status::unavailable("no answer in time");
  int asked = 0;
  usage_ = std::make_unique<TargetUsage>(
      fake_.root(), std::make_unique<FailingDelays>(&delays_, &failure, &asked));
  for (const Pid pid : {10, 11}) fake_.add({.pid = pid});
  for (uint64_t i = 1; i <= 31; ++i) {
    for (const Pid pid : {10, 11}) fake_.thread(pid, pid, i * kMilli, 0);
    update({10, 11});
  }
  EXPECT_EQ(asked, 5) << "at the updates 1, 2, 4, 8 and 16, of one process each";
}

TEST_F(TargetDelaysTest, WhatTheKernelDoesNotAccountForIsAbsent) {
  fake_.write("proc/sys/kernel/task_delayacct", "0\n");
  use(&delays_);
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  fake_.thread(10, 10, kMilli, 0);
  EXPECT_FALSE(update({10}).block_io_seconds);
  EXPECT_EQ(usage_->accounting(), TargetUsage::Accounting::kOff);
}

TEST_F(TargetDelaysTest, AProcessOfOneThreadIsAskedForItsDelaysNowAndThen) {
  fake_.write("proc/sys/kernel/task_delayacct", "0\n");
  use(&delays_);
  fake_.add({.pid = 10});
  fake_.thread(10, 10, 0, 0);
  update({10});
  ASSERT_EQ(*asked_, 1);
  for (uint64_t i = 1; i <= 8; ++i) {
    fake_.thread(10, 10, i * kMilli, 0);
    update({10});
  }
  EXPECT_EQ(*asked_, 3);
  // A thread that came and went unseen waited too: the kernel's sum still holds it.
  delays_.runqueue_ns = 40 * kMilli;
  fake_.thread(10, 10, 9 * kMilli, 0);
  usage_->read_all();
  EXPECT_DOUBLE_EQ(update({10}).runqueue_seconds.value(), 0.04);
}

TEST_F(TargetDelaysTest, FewSwitchesAreReadLaterAndAllInTheEnd) {
  constexpr uint64_t kSlice = 1000;  // as the fake tells slices
  fake_.add({.pid = 10});
  fake_.thread(10, 10, kSlice, 0);
  fake_.switches(10, 10, 10, 0);
  update({10});
  fake_.thread(10, 10, 2 * kSlice, 0);
  fake_.switches(10, 10, 12, 0);
  EXPECT_EQ(update({10}).voluntary_switches, 0u);
  for (uint64_t i = 3; i < 8; ++i) {
    fake_.thread(10, 10, i * kSlice, 0);
    update({10});
  }
  fake_.thread(10, 10, 8 * kSlice, 0);
  EXPECT_EQ(update({10}).voluntary_switches, 2u);
  fake_.thread(10, 10, 9 * kSlice, 0);
  fake_.switches(10, 10, 13, 0);
  usage_->read_all();
  EXPECT_EQ(update({10}).voluntary_switches, 3u);
}

TEST_F(TargetDelaysTest, ThreadsAreCountedByState) {
  fake_.add({.pid = 10, .threads = 4});
  fake_.thread(10, 10, 0, 0, 'R');
  fake_.thread(10, 11, 0, 0, 'D');
  fake_.thread(10, 12, 0, 0);
  fake_.thread(10, 13, 0, 0);
  update({10});
  const auto states = usage_->look_at_threads();
  ASSERT_TRUE(states);
  EXPECT_EQ(states->running, 1);
  EXPECT_EQ(states->uninterruptible, 1);
  EXPECT_EQ(states->sleeping, 2);
}

TEST_F(TargetDelaysTest, TheTableShowsWhatEachProcessDidAndItsBusiestThread) {
  fake_.add({.pid = 10, .comm = "shop", .user_ticks = 100, .threads = 2});
  fake_.thread(10, 10, 500 * kMilli, 0);
  fake_.thread(10, 11, 500 * kMilli, 0);
  fake_.write("proc/10/task/11/comm", "worker \xff\n");
  update({10});
  TargetTable table(fake_.root());
  table.begin(usage_->by_process(), seconds_ * kSecondLong);
  fake_.add({.pid = 10,
             .comm = "shop",
             .user_ticks = 140,
             .system_ticks = 10,
             .threads = 2,
             .minor_faults = 111});
  fake_.thread(10, 11, 1000 * kMilli, 100 * kMilli);
  update({10});
  const std::string json = table.json(usage_->by_process(), seconds_ * kSecondLong);
  EXPECT_NE(json.find(R"([10,"shop",2,0.4,0.1,0.1,null,10.0,0,)"), std::string::npos) << json;
  EXPECT_NE(json.find("worker \xef\xbf\xbd (11)"), std::string::npos) << json;
}

TEST(TargetMemory, IsToldOnceEveryProcessWasRead) {
  FakeProc fake;
  fake.write("proc/10/smaps_rollup", "Rss: 90 kB\nPss: 70 kB\nPss_Dirty: 5 kB\nSwap: 4 kB\n");
  fake.write("proc/11/smaps_rollup", "Rss: 9 kB\nPss: 7 kB\nSwap: 1 kB\n");
  std::vector<ProcessUse> two(2);
  two[0].pid = 10;
  two[1].pid = 11;
  TargetMemory memory(fake.root());
  memory.update(0, two);
  EXPECT_FALSE(memory.total(two));
  memory.update(1, two);
  ASSERT_TRUE(memory.total(two));
  EXPECT_EQ(memory.total(two)->proportional_bytes, 77u * 1024);
  EXPECT_EQ(memory.total(two)->swap_bytes, 5u * 1024);
  two[1].start_ticks = 99;  // another process by the same number
  EXPECT_FALSE(memory.total(two));
  EXPECT_FALSE(parse_smaps_rollup("Rss: 90 kB\nPss: 70 kB\nSwap: 4"));
  EXPECT_FALSE(parse_smaps_rollup("Pss: 99999999999999999999 kB\nSwap: 0 kB\n"));
}

TEST(TargetMemory, IsReadAgainWhenWhatIsResidentChangedAndEveryThirtySeconds) {
  FakeProc fake;
  std::vector<ProcessUse> one(1);
  one[0].pid = 10;
  one[0].resident_bytes = 9000;
  TargetMemory memory(fake.root());
  const auto bytes_at = [&](int64_t second, int kilobytes) {
    fake.write("proc/10/smaps_rollup", "Pss: " + std::to_string(kilobytes) + " kB\nSwap: 0 kB\n");
    memory.update(second * kSecondLong, one);
    return memory.total(one)->proportional_bytes / 1024;
  };
  EXPECT_EQ(bytes_at(0, 70), 70u);
  EXPECT_EQ(bytes_at(2, 71), 70u) << "as before";
  one[0].resident_bytes = 9001;
  EXPECT_EQ(bytes_at(4, 72), 72u);
  EXPECT_EQ(bytes_at(6, 73), 72u);
  EXPECT_EQ(bytes_at(35, 74), 74u);
}

}  // namespace
}  // namespace plumb::host_metrics
