#include "locks.h"

#include <gmock/gmock.h>

#include <sys/sysmacros.h>

#include <array>
#include <limits>

namespace plumb::sqlite_stats {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kPending = 1073741824;
const FileIdentity kDatabase{makedev(0xfe, 0), 100, false, false};
const FileIdentity kShm{makedev(0xfe, 0), 101, false, false};

std::vector<FileLock> parsed(std::string_view text) {
  constexpr std::array<uint64_t, 4> kInodes = {5, 100, 101, 10952902};
  std::vector<FileLock> locks;
  parse_locks(text, kInodes, locks);
  return locks;
}

LockListing view(std::string_view text) {
  LockListing out;
  list_locks(parsed(text), kDatabase, &kShm, out);
  return out;
}

TEST(LocksTest, DeviceNumbersAreReadAsHex) {
  const auto locks = parsed("12: POSIX  ADVISORY  WRITE 23244 fe:1a:10952902 120 EOF\n");
  ASSERT_THAT(locks, SizeIs(1));
  EXPECT_EQ(locks[0].pid, 23244);
  EXPECT_EQ(locks[0].device_major, 0xfeu);
  EXPECT_EQ(locks[0].device_minor, 0x1au);
  EXPECT_EQ(locks[0].inode, 10952902u);
  EXPECT_EQ(locks[0].start, 120);
  EXPECT_EQ(locks[0].end, std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(locks[0].write);
  EXPECT_FALSE(locks[0].blocked);
}

TEST(LocksTest, OtherKindsAndTornLinesAreSkipped) {
  EXPECT_THAT(parsed("01: FLOCK  ADVISORY  WRITE 23244 fe:00:10952902 0 EOF\n"
                     "2: OFDLCK ADVISORY  WRITE -1 fe:00:100 0 EOF\n"
                     "3: LEASE  ACTIVE    READ 9 fe:00:100 0 EOF\n"
                     "4: POSIX  ADVISORY  WRITE 12 fe:00\n"
                     "5: POSIX  ADVISORY  WRITE 12 fe:00:zz 0 0\n"
                     "6: POSIX  ADVISORY  EAT 12 fe:00:5 0 0\n"
                     "7: POSIX  ADVISORY  WRITE 99999999999 fe:00:5 0 0\n"
                     "\n:::\n8: POSIX  ADVISORY  WRI"),
              IsEmpty());
}

TEST(LocksTest, WalWriterIsTheHolderOfByte120) {
  const LockListing v = view(
      "1: POSIX  ADVISORY  READ 7 fe:00:101 128 128\n"
      "2: POSIX  ADVISORY  READ 8 fe:00:101 128 128\n"
      "3: POSIX  ADVISORY  WRITE 8 fe:00:101 120 120\n"
      "4: POSIX  ADVISORY  READ 8 fe:00:101 124 124\n"
      "5: POSIX  ADVISORY  READ 7 fe:00:100 1073741826 1073742335\n"
      "6: POSIX  ADVISORY  WRITE 9 fe:01:101 120 120\n"
      "7: POSIX  ADVISORY  WRITE 9 fe:00:555 120 120\n");
  EXPECT_EQ(v.state.held, WriteLock::kWrite);
  EXPECT_EQ(v.state.holder, 8);
  EXPECT_THAT(v.present, ElementsAre(7, 8));
}

TEST(LocksTest, CheckpointerAndReadersHoldNoWriteLock) {
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:101 121 121\n"
                 "2: POSIX  ADVISORY  WRITE 8 fe:00:101 123 123\n"
                 "3: POSIX  ADVISORY  READ 8 fe:00:100 1073741826 1073742335\n")
                .state.held,
            WriteLock::kNone);
}

TEST(LocksTest, WriteAndCheckpointLocksMergedByTheKernelStillCount) {
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:101 120 122\n").state.held, WriteLock::kWrite);
}

TEST(LocksTest, RollbackLocksClimbFromReservedToExclusive) {
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:100 1073741825 1073741825\n").state.held,
            WriteLock::kReserved);
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:100 1073741824 1073741825\n").state.held,
            WriteLock::kPending);
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:100 1073741824 1073742335\n").state.held,
            WriteLock::kExclusive);
  // A reader takes PENDING for an instant, shared.
  EXPECT_EQ(view("1: POSIX  ADVISORY  READ 8 fe:00:100 1073741824 1073741824\n").state.held,
            WriteLock::kNone);
  static_assert(kPending == 0x40000000);
}

TEST(LocksTest, BlockedRequestsHoldNothing) {
  const LockListing v = view(
      "1: POSIX  ADVISORY  WRITE 8 fe:00:101 120 120\n"
      "1: -> POSIX  ADVISORY  WRITE 9 fe:00:101 120 120\n");
  EXPECT_EQ(v.state.holder, 8);
  EXPECT_THAT(v.present, ElementsAre(8, 9));
}

TEST(LocksTest, FilesOfNobodysInterestAreSkipped) {
  EXPECT_THAT(parsed("1: POSIX  ADVISORY  WRITE 8 fe:00:102 120 120\n"
                     "2: POSIX  ADVISORY  WRITE 8 fe:00:1010 120 120\n"
                     "3: POSIX  ADVISORY  WRITE 8 fe:00:10 120 120\n"),
              IsEmpty());
}

TEST(LocksTest, RangesThatNoKernelPrintsAreSkipped) {
  EXPECT_THAT(parsed("1: POSIX  ADVISORY  WRITE 8 fe:00:101 130 120\n"
                     "2: POSIX  ADVISORY  WRITE 8 fe:00:101 -5 120\n"
                     "3: POSIX  ADVISORY  WRITE 8 :101 120 120\n"
                     "4: POSIX  ADVISORY  WRITE 8 fe:101 120 120\n"),
              IsEmpty());
}

TEST(LocksTest, ReadersAreToldWithTheirSlots) {
  const LockListing v = view(
      "1: POSIX  ADVISORY  READ 7 fe:00:101 124 124\n"
      "2: POSIX  ADVISORY  READ 8 fe:00:101 123 124\n"   // two connections, merged
      "3: POSIX  ADVISORY  WRITE 9 fe:00:101 125 127\n"  // a checkpointer waits for readers
      "4: POSIX  ADVISORY  READ 9 fe:00:101 128 128\n");
  ASSERT_THAT(v.readers, SizeIs(3));
  EXPECT_EQ(v.readers[0].pid, 7);
  EXPECT_EQ(v.readers[0].slot, 1);
  EXPECT_EQ(v.readers[1].slot, 0);
  EXPECT_EQ(v.readers[2].slot, 1);
}

TEST(LocksTest, CheckpointAndRecoveryLocksAreToldApart) {
  const LockListing v = view(
      "1: POSIX  ADVISORY  WRITE 8 fe:00:101 121 121\n"
      "2: POSIX  ADVISORY  WRITE 9 fe:00:101 120 120\n");
  EXPECT_EQ(v.state.checkpointer, 8);
  EXPECT_EQ(v.state.holder, 9);
  EXPECT_FALSE(v.state.recoverer);
  EXPECT_EQ(view("1: POSIX  ADVISORY  WRITE 8 fe:00:101 120 122\n").state.recoverer, 8);
}

TEST(LocksTest, InodeAloneDecidesWhereDeviceNumbersAreNotToBeTrusted) {
  const FileIdentity overlay{makedev(0, 55), 100, true, false};
  LockListing v;
  list_locks(parsed("1: POSIX  ADVISORY  WRITE 8 00:30:100 1073741825 1073741825\n"), overlay,
             nullptr, v);
  EXPECT_EQ(v.state.holder, 8);
}

}  // namespace
}  // namespace plumb::sqlite_stats
