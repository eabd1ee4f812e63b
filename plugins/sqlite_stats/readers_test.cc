#include "readers.h"

#include <gmock/gmock.h>

namespace plumb::sqlite_stats {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kTestMs = 1'000'000;

WalIndex wal(uint32_t frames, uint32_t backfilled, std::array<uint32_t, kReadMarks> marks) {
  WalIndex index;
  index.frames = frames;
  index.backfilled = backfilled;
  index.generation = 3;
  index.read_marks = marks;
  return index;
}

constexpr uint32_t kNone = kUnusedMark;

TEST(ReaderWatchTest, ReaderBehindTheLastCommitIsNamedWithItsFrameOnce) {
  ReaderWatch readers;
  readers.look(0, {{41, 1}}, wal(50, 50, {0, 50, kNone, kNone, kNone}));
  EXPECT_FALSE(readers.any()) << "it reads the newest state";
  for (int i = 1; i <= 20; ++i) {
    readers.look(i * 100 * kTestMs, {{41, 1}},
                 wal(50 + static_cast<uint32_t>(i) * 10, 50, {0, 50, kNone, kNone, kNone}));
    const auto news = readers.take_news();
    if (i == 11) {
      ASSERT_THAT(news, SizeIs(1));
      EXPECT_EQ(news[0]->pid, 41);
      EXPECT_EQ(news[0]->slot, 1);
      EXPECT_EQ(news[0]->frame, 50u);
      EXPECT_EQ(news[0]->held_back, 110u);
      EXPECT_EQ(news[0]->length_ns(), 1'000 * kTestMs);
    } else {
      EXPECT_THAT(news, IsEmpty()) << "look " << i;
    }
  }
  EXPECT_EQ(readers.held_back(), 200u);
  EXPECT_EQ(readers.oldest_ns(), 1'900 * kTestMs);
  readers.look(2'100 * kTestMs, {}, wal(260, 50, {0, 50, kNone, kNone, kNone}));
  EXPECT_EQ(readers.held_back(), 0u);
  EXPECT_EQ(readers.oldest_ns(), 0);
  ASSERT_THAT(readers.worst(), SizeIs(1)) << "kept for the table";
  EXPECT_TRUE(readers.worst()[0]->over);
}

TEST(ReaderWatchTest, ReaderOfTheDatabaseFileHoldsEverythingBack) {
  ReaderWatch readers;
  const auto index = wal(300, 0, {0, 300, kNone, kNone, kNone});
  readers.look(0, {{41, 0}}, index);
  readers.look(100 * kTestMs, {{41, 0}}, index);
  EXPECT_EQ(readers.held_back(), 300u);
  EXPECT_EQ(readers.worst()[0]->slot, 0);
  EXPECT_EQ(readers.worst()[0]->frame, 0u);
}

TEST(ReaderWatchTest, ReaderOfAnotherPidNamespaceIsSeenWithoutAName) {
  ReaderWatch readers;
  const auto index = wal(300, 0, {0, 50, kNone, kNone, kNone});
  for (int64_t ms = 0; ms <= 1'500; ms += 100) readers.look(ms * kTestMs, {{0, 1}}, index);
  EXPECT_EQ(readers.held_back(), 250u);
  EXPECT_EQ(readers.oldest_ns(), 1'500 * kTestMs);
  ASSERT_THAT(readers.take_news(), SizeIs(1));
}

TEST(ReaderWatchTest, OrdinaryReadersThatAreBehindForAMomentDoNotCount) {
  ReaderWatch readers;
  for (uint32_t i = 0; i < 50; ++i) {
    // Another transaction each time, one frame behind.
    readers.look(i * 100 * kTestMs, {{41, 1}}, wal(101 + i, 0, {0, 100 + i, kNone, kNone, kNone}));
    EXPECT_EQ(readers.held_back(), 0u);
    EXPECT_THAT(readers.take_news(), IsEmpty());
  }
  EXPECT_THAT(readers.worst(), IsEmpty());
}

TEST(ReaderWatchTest, UnusedSlotsAndMarksPastTheEndPinNothing) {
  ReaderWatch readers;
  const auto index = wal(100, 0, {0, kNone, 500, 100, kNone});
  readers.look(0, {{1, 1}, {2, 2}, {3, 3}}, index);
  readers.look(100 * kTestMs, {{1, 1}, {2, 2}, {3, 3}}, index);
  EXPECT_FALSE(readers.any());
}

TEST(ReaderWatchTest, TheWorstPastPinsAreKeptAndNoMore) {
  ReaderWatch readers;
  int64_t now = 0;
  for (uint32_t i = 1; i <= 60; ++i) {
    const auto index = wal(1000, 0, {0, 1000 - i, kNone, kNone, kNone});
    for (int k = 0; k < 7; ++k)
      readers.look(now += 100 * kTestMs, {{static_cast<int>(i), 1}}, index);
    readers.look(now += 100 * kTestMs, {}, index);
  }
  ASSERT_THAT(readers.worst(), SizeIs(ReaderWatch::kMostPinsKept));
  EXPECT_EQ(readers.worst().front()->held_back, 60u);
  EXPECT_EQ(readers.worst().back()->held_back, 41u);
}

TEST(ReaderWatchTest, WithoutAWalNothingIsPinned) {
  ReaderWatch readers;
  const auto index = wal(300, 0, {0, 10, kNone, kNone, kNone});
  for (int i = 0; i < 10; ++i) readers.look(i * 100 * kTestMs, {{41, 1}}, index);
  readers.clear();
  EXPECT_FALSE(readers.any());
  EXPECT_THAT(readers.worst(), SizeIs(1));
}

}  // namespace
}  // namespace plumb::sqlite_stats
