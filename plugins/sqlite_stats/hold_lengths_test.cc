#include "hold_lengths.h"

#include <gmock/gmock.h>

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStep = 10 * kMs;
constexpr int64_t kLong = 1'000 * kMs;
constexpr int kPid = 7;

// Feeds both as the watch does: one sample each 10 ms.
class Sampled {
 public:
  void sample(WriteLock lock, uint32_t mark, int pid = kPid) {
    now_ns_ += kStep;
    holds_.sample(now_ns_, lock, pid, mark, kLong);
    const bool held = lock != WriteLock::kNone;
    const int64_t held_ns =
        (static_cast<int64_t>(held) + static_cast<int64_t>(was_held_)) * kStep / 2;
    lengths_.sample(now_ns_, kStep, held_ns, holds_.ended(), mark - mark_);
    was_held_ = held;
    mark_ = mark;
  }
  std::optional<HoldRecord> take(bool all = false) {
    return lengths_.take(now_ns_, holds_.current(), all);
  }
  HoldTracker holds_;
  HoldLengths lengths_;
  int64_t now_ns_ = 1'000 * kMs;
  uint32_t mark_ = 100;
  bool was_held_ = false;
};

TEST(HoldLengthsTest, LongHoldIsRecordedOnceWithItsOwnLength) {
  Sampled s;
  s.sample(WriteLock::kNone, 100);
  for (int i = 0; i < 30; ++i) s.sample(WriteLock::kWrite, 100);
  s.sample(WriteLock::kNone, 101);
  const auto record = s.take();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->lengths.count(), 1u);
  EXPECT_NEAR(static_cast<double>(record->lengths.sum()), 300 * kMs, 1 * kMs);
  EXPECT_EQ(record->end_ns, s.now_ns_);
  EXPECT_FALSE(s.take(true)) << "nothing is told twice";
}

TEST(HoldLengthsTest, HoldThatGoesOnIsNotRecordedBeforeItEnds) {
  Sampled s;
  s.sample(WriteLock::kNone, 100);
  for (int i = 0; i < 100; ++i) s.sample(WriteLock::kWrite, 100);
  EXPECT_FALSE(s.take());
  for (int i = 0; i < 100; ++i) s.sample(WriteLock::kWrite, 100);
  s.sample(WriteLock::kNone, 101);
  const auto record = s.take();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->lengths.count(), 1u);
  EXPECT_NEAR(static_cast<double>(record->lengths.maximum()), 2'000 * kMs, 11 * kMs);
}

TEST(HoldLengthsTest, ShortHoldsAreCountedByCommitsAndShareTheTimeSeen) {
  Sampled s;
  uint32_t mark = 100;
  // 20 commits in each 10 ms, and every fourth sample meets one.
  for (int i = 0; i < 100; ++i) {
    mark += 20;
    s.sample(i % 4 == 0 ? WriteLock::kWrite : WriteLock::kNone, mark, kPid + i % 3);
  }
  const auto record = s.take();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->lengths.count(), 2000u);
  EXPECT_NEAR(static_cast<double>(record->lengths.sum()) / 1e6, 250, 20);
  EXPECT_NEAR(*record->lengths.mean() / 1e6, 0.125, 0.01);
}

TEST(HoldLengthsTest, FewCommitsThatNoSampleMetAreWaitedForAndNeverZero) {
  Sampled s;
  for (uint32_t i = 0; i < 100; ++i) s.sample(WriteLock::kNone, 100 + i / 30);
  EXPECT_FALSE(s.take()) << "nothing was met yet";
  for (uint32_t i = 0; i < 420; ++i) s.sample(WriteLock::kNone, 104);
  const auto record = s.take();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->lengths.count(), 4u);
  EXPECT_GT(record->lengths.minimum(), 0u);
  EXPECT_LT(record->lengths.maximum(), static_cast<uint64_t>(kStep));
}

TEST(HoldLengthsTest, NothingHeldIsNoRecord) {
  Sampled s;
  for (int i = 0; i < 10; ++i) s.sample(WriteLock::kNone, 100);
  EXPECT_FALSE(s.take(true));
}

TEST(HoldTrackerTest, HandOverWithinOneProcessIsTwoHolds) {
  HoldTracker holds;
  const int64_t second = 1'000'000'000;
  EXPECT_EQ(holds.sample(0, WriteLock::kWrite, 7, 1u, second), nullptr);
  EXPECT_EQ(holds.sample(second * 9 / 10, WriteLock::kWrite, 7, 1u, second), nullptr);
  EXPECT_EQ(holds.sample(second, WriteLock::kWrite, 7, 2u, second), nullptr);
  EXPECT_EQ(holds.sample(second * 2 - 1, WriteLock::kWrite, 7, 2u, second), nullptr);
  EXPECT_NE(holds.sample(second * 2, WriteLock::kWrite, 7, std::nullopt, second), nullptr);
  EXPECT_EQ(holds.sample(second * 3, WriteLock::kWrite, 7, 2u, second), nullptr) << "told once";
}

TEST(HoldTrackerTest, RollbackCommitIsPartOfItsOwnHold) {
  HoldTracker holds;
  const auto at = [&holds](int64_t ms, WriteLock lock, uint32_t mark) {
    holds.sample(ms * kMs, lock, kPid, mark, kLong);
  };
  at(0, WriteLock::kNone, 5);
  at(10, WriteLock::kReserved, 5);
  at(20, WriteLock::kExclusive, 5);
  at(30, WriteLock::kExclusive, 6);  // page 1 is written, the sync still runs
  EXPECT_EQ(holds.current()->length_ns(), 20 * kMs);
  at(40, WriteLock::kReserved, 6);  // the next transaction
  ASSERT_TRUE(holds.ended());
  EXPECT_TRUE(holds.ended()->committed);
  EXPECT_EQ(holds.ended()->length_ns, 30 * kMs);
  EXPECT_EQ(holds.current()->length_ns(), 0);
}

TEST(HoldTrackerTest, ExclusiveLocksOfDifferentTransactionsAreDifferentHolds) {
  HoldTracker holds;
  holds.sample(10 * kMs, WriteLock::kExclusive, kPid, 5, kLong);
  holds.sample(20 * kMs, WriteLock::kExclusive, kPid, 9, kLong);
  EXPECT_EQ(holds.current()->length_ns(), 0);
}

}  // namespace
}  // namespace plumb::sqlite_stats
