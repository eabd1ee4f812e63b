#include "waiters.h"

#include <gmock/gmock.h>

#include "durations.h"
#include "fake_files.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::ElementsAre;

constexpr int kHolder = 50;
constexpr int kOther = 60;

TEST(ThreadStateTest, BusyHandlersSleepIsToldFromOtherSleeps) {
  EXPECT_EQ(parse_syscall(kUsleeping), ThreadState::kBusySleep);
  EXPECT_EQ(parse_syscall(kSleepingFor), ThreadState::kSleep);
  EXPECT_EQ(parse_syscall("35 0x7f00 0x0 0x0 0x0 0x0 0x0 0x1 0x2"), ThreadState::kBusySleep);
  // Python: CLOCK_MONOTONIC, TIMER_ABSTIME.
  EXPECT_EQ(parse_syscall("230 0x1 0x1 0x7fb8 0x0 0x0 0x7f 0x1 0x2"), ThreadState::kElse);
  EXPECT_EQ(parse_syscall(kInFutex), ThreadState::kElse);
  EXPECT_EQ(parse_syscall("75 0x4 0x0 0x0 0x0 0x0 0x0 0x1 0x2"), ThreadState::kActive);
  EXPECT_EQ(parse_syscall(kOnProcessor), ThreadState::kActive);
  EXPECT_EQ(parse_syscall("-1 0x7ffc 0x7f11"), ThreadState::kElse);
  EXPECT_EQ(parse_syscall("72 0x5 0x7 0x7ffd 0x0 0x0 0x0 0x1 0x2"), ThreadState::kBlocked);
  EXPECT_EQ(parse_syscall("72 0x5 0x6 0x7ffd 0x0 0x0 0x0 0x1 0x2"), ThreadState::kElse);
  EXPECT_EQ(parse_syscall(""), ThreadState::kUnknown);
  EXPECT_EQ(parse_syscall("230 0x0 0x"), ThreadState::kElse);
}

TEST(ThreadStateTest, WaitChannelIsTheFallback) {
  EXPECT_EQ(parse_wchan("hrtimer_nanosleep"), ThreadState::kSleep);
  EXPECT_EQ(parse_wchan("do_nanosleep"), ThreadState::kSleep);
  EXPECT_EQ(parse_wchan("futex_do_wait"), ThreadState::kElse);
  EXPECT_EQ(parse_wchan("0"), ThreadState::kUnknown);
}

TEST(ThreadStateTest, WaitForALockNamesTheDescriptor) {
  EXPECT_EQ(parse_lock_wait("72 0x5 0x7 0x7ffd 0x0 0x0 0x0 0x1 0x2"), 5);
  EXPECT_FALSE(parse_lock_wait("72 0x5 0x6 0x7ffd 0x0 0x0 0x0 0x1 0x2")) << "asks, does not wait";
  EXPECT_FALSE(parse_lock_wait(kUsleeping));
  EXPECT_FALSE(parse_lock_wait("72"));
  EXPECT_FALSE(parse_lock_wait(""));
}

TEST(ThreadStateTest, SyncNamesTheDescriptor) {
  EXPECT_EQ(parse_sync("75 0x14 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f11\n"), 20);
  EXPECT_EQ(parse_sync("74 0x4 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f11\n"), 4);
  EXPECT_FALSE(parse_sync(kUsleeping));
  EXPECT_FALSE(parse_sync("running\n"));
  EXPECT_FALSE(parse_sync("75"));
  EXPECT_FALSE(parse_sync("75 0x"));
  EXPECT_FALSE(parse_sync("75 0xffffffff 0x0"));
  EXPECT_FALSE(parse_sync(""));
}

TEST(InferWaitersTest, HolderIsTakenOffOnlyWhereItMayBeAmongTheSleepers) {
  EXPECT_EQ(infer_waiters({.sleepers = 4, .holds = true}), 3);
  EXPECT_EQ(infer_waiters({.sleepers = 4, .active = 1, .holds = true}), 4);
  EXPECT_EQ(infer_waiters({.sleepers = 4}), 4);
  EXPECT_EQ(infer_waiters({.sleepers = 3, .holds = true, .holder_found = true}), 3);
  EXPECT_EQ(infer_waiters({.holds = true}), 0);
  EXPECT_EQ(infer_waiters({.sleepers = 1, .holds = true}), 0);
  EXPECT_EQ(infer_waiters({.busy_sleepers = 3, .sleepers = 1, .holds = true, .uses_glibc = true}),
            3);
}

class WaiterWatchTest : public testing::Test {
 protected:
  void thread(int pid, int tid, const std::string& syscall) {
    write_thread(directory_.string(), pid, tid, syscall, timeslices_++);
  }
  void use_glibc() {
    for (const int pid : {kHolder, kOther})
      write_file(directory_ / (std::to_string(pid) + "/maps"),
                 "7f00-7f01 r-xp 00000000 fe:00 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n");
  }
  std::optional<double> scan(bool held = true) {
    now_ns_ += 50 * kMillisecond;
    const Contention contention{.held = held,
                                .held_lately = !held,
                                .holder = held ? kHolder : 0,
                                .hold_start_ns = hold_start_ns_,
                                .users = users_};
    return watch_.scan(now_ns_, std::span(&contention, 1)).at(0);
  }
  // Nobody has written for long enough.
  void learn_idle() {
    now_ns_ += 200 * kMillisecond;
    watch_.learn_idle(now_ns_);
  }
  TemporaryDirectory directory_;
  WaiterWatch watch_{proc::Root{directory_.string(), ""}};
  const std::vector<int32_t> users_ = {kHolder, kOther};
  int64_t now_ns_ = 1'000'000'000;
  int64_t hold_start_ns_ = 1'000'000'000;
  uint64_t timeslices_ = 1;
};

TEST_F(WaiterWatchTest, SleepersOfHolderAndOtherProcessesAreCounted) {
  use_glibc();
  thread(kHolder, 50, kInFutex);
  thread(kHolder, 51, kSleepingFor);  // the holder, inside its transaction
  thread(kHolder, 52, kUsleeping);
  thread(kHolder, 53, kUsleeping);
  thread(kOther, 60, kUsleeping);
  EXPECT_EQ(scan(), 3);
  thread(kOther, 60, kOnProcessor);
  EXPECT_EQ(scan(), 2);
}

TEST_F(WaiterWatchTest, LongSleeperIsAnIdleTimerAndNoWaiter) {
  thread(kHolder, 50, kOnProcessor);
  thread(kOther, 60, kUsleeping);  // never wakes
  EXPECT_EQ(scan(), 1);
  for (int i = 0; i < 5; ++i) scan();
  EXPECT_EQ(scan(), 0);
  EXPECT_EQ(scan(), 0);
}

TEST_F(WaiterWatchTest, ThreadThatKeepsWakingStaysAWaiter) {
  thread(kHolder, 50, kOnProcessor);
  for (int i = 0; i < 30; ++i) {
    thread(kOther, 60, kUsleeping);
    EXPECT_EQ(scan(), 1);
  }
}

TEST_F(WaiterWatchTest, ThreadThatAlsoSleepsWhileTheLockIsFreeIsNoWaiter) {
  thread(kHolder, 50, kOnProcessor);
  thread(kOther, 60, kUsleeping);
  thread(kOther, 61, kInFutex);
  EXPECT_EQ(scan(), 1);
  for (int i = 0; i < 3; ++i) learn_idle();
  thread(kOther, 60, kUsleeping);
  thread(kOther, 61, kUsleeping);
  EXPECT_EQ(scan(), 1) << "only the thread that was in a futex while the lock was free";
}

TEST_F(WaiterWatchTest, HolderThatSleepsThroughItsTransactionIsFoundAndStaysTrusted) {
  // As with musl, where usleep() cannot be told from the application's own sleep.
  hold_start_ns_ = now_ns_;
  write_thread(directory_.string(), kHolder, 51, kSleepingFor, 1);
  for (int i = 0; i < 12; ++i) {
    thread(kHolder, 52, kSleepingFor);
    thread(kHolder, 53, kSleepingFor);
    EXPECT_EQ(scan(), 2) << "look " << i;
  }
  // It has committed; now it waits for another and counts at once.
  hold_start_ns_ = now_ns_ + 20 * kMillisecond;
  now_ns_ += 300 * kMillisecond;
  thread(kHolder, 51, kSleepingFor);
  thread(kHolder, 52, kOnProcessor);
  thread(kHolder, 53, kSleepingFor);
  EXPECT_EQ(scan(), 2);
}

TEST_F(WaiterWatchTest, WaitersStillCountInTheGapBetweenTwoHolders) {
  thread(kHolder, 50, kOnProcessor);
  thread(kOther, 60, kUsleeping);
  thread(kOther, 61, kSleepingFor);
  EXPECT_EQ(scan(false), 1) << "without the lock held, only what must be a busy handler's sleep";
  EXPECT_EQ(scan(), 2);
  EXPECT_EQ(scan(false), 2) << "who waited a moment ago may still be in the same sleep";
}

TEST_F(WaiterWatchTest, ApplicationsOwnSleepsAreNoWaitersUnderGlibc) {
  use_glibc();
  thread(kHolder, 50, kOnProcessor);
  for (int tid = 60; tid < 70; ++tid) thread(kOther, tid, kSleepingFor);
  EXPECT_EQ(scan(), 0);
}

TEST_F(WaiterWatchTest, EndedThreadsAreForgotten) {
  thread(kOther, 60, kUsleeping);
  thread(kOther, 61, kUsleeping);
  EXPECT_EQ(scan(), 2);
  EXPECT_EQ(watch_.threads(), 2u);
  std::filesystem::remove_all(directory_ / "60/task/61");
  now_ns_ += 300 * kMillisecond;
  thread(kOther, 60, kUsleeping);
  EXPECT_EQ(scan(), 1);
  EXPECT_EQ(watch_.threads(), 1u);
}

TEST_F(WaiterWatchTest, NothingIsLearntOfAProcessThatWasJustLookedAt) {
  thread(kOther, 60, kUsleeping);
  EXPECT_EQ(scan(), 1);
  for (int i = 0; i < 5; ++i) watch_.learn_idle(now_ns_ + 50 * kMillisecond);
  thread(kOther, 60, kUsleeping);
  EXPECT_EQ(scan(), 1) << "it may still be asleep for the lock";
}

TEST_F(WaiterWatchTest, HiddenThreadsGiveNoNumberRatherThanZero) {
  for (const int pid : {kHolder, kOther}) {
    const std::string task = directory_ / (std::to_string(pid) + "/task/" + std::to_string(pid));
    write_file(task + "/wchan", "0");
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(scan(), 0);
  EXPECT_EQ(scan(), std::nullopt);
}

TEST_F(WaiterWatchTest, WaitChannelsServeWhereSystemCallsAreHidden) {
  for (const int tid : {60, 61}) {
    const std::string task = directory_ / ("60/task/" + std::to_string(tid));
    write_file(task + "/wchan", "hrtimer_nanosleep");
  }
  EXPECT_EQ(scan(), 2);
}

// Two databases with a holder each, kHolder of the first and kOther of the second.
class WaitersOfTwoTest : public WaiterWatchTest {
 protected:
  static constexpr int kWaiter = 70;

  std::vector<double> scan_both(double first_share = 1, double second_share = 1) {
    now_ns_ += 50 * kMillisecond;
    const std::vector<Contention> both = {{.held = true,
                                           .holder = kHolder,
                                           .held_share = first_share,
                                           .users = first_users_,
                                           .files = &first_},
                                          {.held = true,
                                           .holder = kOther,
                                           .held_share = second_share,
                                           .users = second_users_,
                                           .files = &second_}};
    std::vector<double> out;
    for (const auto& waiting : watch_.scan(now_ns_, both)) out.push_back(waiting.value_or(-1));
    return out;
  }
  void open_files() {
    for (const auto& [files, name] : {std::pair(&first_, "a.db"), std::pair(&second_, "b.db")}) {
      write_file(directory_ / name, database_bytes(true, 1));
      write_file(directory_ / (std::string(name) + "-shm"), shm_bytes(1, 1, 1));
      ASSERT_TRUE(files->refresh().is_ok());
    }
  }
  // The descriptor 5 of the waiter leads to that file.
  void give_descriptor(const std::string& name) {
    const std::string link = directory_ / "70/fd/5";
    std::filesystem::create_directories(directory_ / "70/fd");
    std::filesystem::remove(link);
    std::filesystem::create_symlink(directory_ / name, link);
  }

  DatabaseFiles first_{directory_ / "a.db"};
  DatabaseFiles second_{directory_ / "b.db"};
  std::vector<int32_t> first_users_ = {kHolder, kWaiter};
  std::vector<int32_t> second_users_ = {kOther};
};

TEST_F(WaitersOfTwoTest, WaiterIsTheDatabasesThatItsProcessHasOpen) {
  thread(kWaiter, 70, kUsleeping);
  thread(kWaiter, 71, kUsleeping);
  EXPECT_THAT(scan_both(), ElementsAre(2, 0));
}

TEST_F(WaitersOfTwoTest, ProcessWithBothOpenHasItsWaitersSharedByHowLongTheLocksAreHeld) {
  second_users_ = {kOther, kWaiter};
  thread(kWaiter, 70, kUsleeping);
  thread(kWaiter, 71, kUsleeping);
  EXPECT_THAT(scan_both(), ElementsAre(1, 1)) << "two waiters, and not two of each";
  thread(kWaiter, 70, kUsleeping);
  thread(kWaiter, 71, kUsleeping);
  EXPECT_THAT(scan_both(0.75, 0.25), ElementsAre(1.5, 0.5));
}

TEST_F(WaitersOfTwoTest, ProcessOfOneThreadWaitsForTheOtherLockThanTheOneItHolds) {
  use_glibc();
  second_users_ = {kHolder, kOther};
  thread(kHolder, 50, kUsleeping);
  EXPECT_THAT(scan_both(), ElementsAre(0, 1));
}

TEST_F(WaitersOfTwoTest, WaiterInTheKernelIsTheDatabasesWhoseFileItWaitsFor) {
  open_files();
  second_users_ = {kOther, kWaiter};
  thread(kWaiter, 70, "72 0x5 0x7 0x7ffd 0x0 0x0 0x0 0x1 0x2");
  give_descriptor("b.db-shm");
  EXPECT_THAT(scan_both(), ElementsAre(0, 1));
  give_descriptor("a.db");
  EXPECT_THAT(scan_both(), ElementsAre(1, 0));
  write_file(directory_ / "other", "");
  give_descriptor("other");
  EXPECT_THAT(scan_both(), ElementsAre(0, 0)) << "that lock is none of SQLite's";
  std::filesystem::remove_all(directory_ / "70/fd");
  EXPECT_THAT(scan_both(), ElementsAre(0.5, 0.5)) << "which file it is cannot be seen";
}

TEST_F(WaitersOfTwoTest, AllDatabasesTogetherKeepNoMoreThreadsThanOneMay) {
  for (int tid = 0; tid < 250; ++tid) {
    thread(kHolder, 1000 + tid, kInFutex);
    thread(kOther, 2000 + tid, kInFutex);
  }
  scan_both();
  EXPECT_EQ(watch_.threads(), WaiterWatch::kMostThreads);
  EXPECT_TRUE(watch_.truncated());
}

TEST_F(WaitersOfTwoTest, ProcessesOfIdleDatabasesMakeRoomForThoseOfContendedOnes) {
  for (int tid = 0; tid < 200; ++tid) {
    thread(kHolder, 1000 + tid, kInFutex);
    thread(kOther, 2000 + tid, kUsleeping);
  }
  const Contention first{.held = true, .holder = 1, .users = first_users_};
  const Contention second{.held = true, .holder = 1, .users = second_users_};
  watch_.scan(now_ns_, std::span(&first, 1));
  EXPECT_EQ(watch_.scan(now_ns_ + 50 * kMillisecond, std::span(&second, 1)).at(0), 200);
  EXPECT_FALSE(watch_.truncated());
}

}  // namespace
}  // namespace plumb::sqlite_stats
