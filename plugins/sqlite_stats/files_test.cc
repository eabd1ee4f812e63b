#include <gmock/gmock.h>

#include "database_files.h"
#include "fake_files.h"
#include "file_format.h"

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;
using Change = DatabaseFiles::Change;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

constexpr uint8_t kRealHeader[] = {
    0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74, 0x20, 0x33,
    0x00, 0x10, 0x00, 0x01, 0x01, 0x00, 0x40, 0x20, 0x20, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00,
    0x00, 0x35, 0x00, 0x00, 0x00, 0x12, 0x00, 0x00, 0x00, 0x25, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x2e, 0x63, 0x01,
};

TEST(FileFormatTest, HeaderTellsJournalModePageSizeAndChanges) {
  const auto wal = parse_database_header(bytes_of(database_bytes(true, 7, 65536)));
  ASSERT_TRUE(wal);
  EXPECT_TRUE(wal->wal);
  EXPECT_EQ(wal->page_bytes, 65536u);
  EXPECT_EQ(wal->change_counter, 7u);
  const auto rollback = parse_database_header(bytes_of(database_bytes(false, 0x01020304)));
  ASSERT_TRUE(rollback);
  EXPECT_FALSE(rollback->wal);
  EXPECT_EQ(rollback->change_counter, 0x01020304u);
}

TEST(FileFormatTest, ForeignAndShortFilesAreNoDatabases) {
  EXPECT_FALSE(parse_database_header(bytes_of("")));
  EXPECT_FALSE(parse_database_header(bytes_of(std::string(100, 'x'))));
  EXPECT_FALSE(parse_database_header(bytes_of(database_bytes(true, 1).substr(0, 99))));
  std::string odd = database_bytes(true, 1);
  odd[17] = 7;  // a page size that SQLite cannot have written
  EXPECT_FALSE(parse_database_header(bytes_of(odd)));
}

// The first 100 bytes of a database that SQLite 3.40.1 wrote: 4 KiB pages, incremental auto-vacuum,
// user_version 7, application_id 0x12345678, and some rows deleted again.
TEST(FileFormatTest, HeaderOfARealDatabaseTellsGrowthAndOrigin) {
  const auto header = parse_database_header(kRealHeader);
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->wal);
  EXPECT_EQ(header->page_bytes, 4096u);
  EXPECT_EQ(header->pages, 53u);
  EXPECT_EQ(header->free_pages, 37u);
  EXPECT_STREQ(header->auto_vacuum_name(), "incremental");
  EXPECT_EQ(header->user_version, 7u);
  EXPECT_EQ(header->application_id, 0x12345678u);
  EXPECT_EQ(version_text(header->sqlite_version), "3.40.1");
}

TEST(FileFormatTest, SizeInPagesIsUnknownWhenAnOldProgramWroteLast) {
  std::string bytes = database_bytes(false, 9);
  bytes[31] = 40;
  EXPECT_FALSE(parse_database_header(bytes_of(bytes))->pages);
  bytes[95] = 9;
  EXPECT_EQ(parse_database_header(bytes_of(bytes))->pages, 40u);
}

TEST(FileFormatTest, WalIndexTellsCommitsAndCheckpointDebt) {
  const auto index = parse_wal_index(bytes_of(shm_bytes(41, 900, 250)));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->changes, 41u);
  EXPECT_EQ(index->checkpoint_debt(), 650u);
  EXPECT_EQ(index->page_bytes, 4096u);
  EXPECT_EQ(parse_wal_index(bytes_of(shm_bytes(41, 0, 250)))->checkpoint_debt(), 0u);
}

TEST(FileFormatTest, TornAndUnwrittenWalIndexesAreRejected) {
  std::string torn = shm_bytes(41, 900, 250);
  torn[16] = 5;
  EXPECT_FALSE(parse_wal_index(bytes_of(torn)));
  EXPECT_FALSE(parse_wal_index(bytes_of(std::string(32768, '\0'))));
  EXPECT_FALSE(parse_wal_index(bytes_of("abc")));
}

TEST(FileFormatTest, CounterWrapsAroundAndStartsAgain) {
  EXPECT_EQ(counter_growth(5, 9), 4u);
  EXPECT_EQ(counter_growth(0xfffffffe, 3), 5u);
  EXPECT_EQ(counter_growth(1000, 3), 3u);
}

TEST(FileFormatTest, ChangeCounterThatFellBelongsToOtherContent) {
  EXPECT_EQ(change_counter_growth(5, 9), 4u);
  EXPECT_EQ(change_counter_growth(0xfffffffe, 3), 5u);
  EXPECT_FALSE(change_counter_growth(1000, 3));
}

class DatabaseFilesTest : public testing::Test {
 protected:
  std::vector<Change> refresh(DatabaseFiles& files) {
    const Status refreshed = files.refresh();
    EXPECT_TRUE(refreshed.is_ok()) << refreshed.message();
    return files.take_changes();
  }
  static uint64_t commits(DatabaseFiles& files) {
    files.sample();
    return files.totals().commits;
  }
  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  const std::string shm_ = database_ + "-shm";
};

TEST_F(DatabaseFilesTest, DatabaseIsPickedUpWhenItAppears) {
  DatabaseFiles files(database_);
  EXPECT_THAT(refresh(files), IsEmpty());
  EXPECT_FALSE(files.open());
  write_file(database_, database_bytes(true, 1));
  EXPECT_THAT(refresh(files), ElementsAre(Change::kAppeared));
  EXPECT_TRUE(files.open());
  EXPECT_FALSE(files.has_shm());
  write_file(shm_, shm_bytes(3, 10, 0));
  EXPECT_THAT(refresh(files), IsEmpty());
  EXPECT_TRUE(files.has_shm());
  EXPECT_EQ(commits(files), 3u) << "a -shm file made under our eyes counts from zero";
}

TEST_F(DatabaseFilesTest, CommitsCountFromTheFirstLookThroughResetsAndRebuilds) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(100, 500, 0));
  DatabaseFiles files(database_);
  refresh(files);
  EXPECT_EQ(commits(files), 0u);
  write_file(shm_, shm_bytes(104, 0, 0));  // the WAL starts again, iChange does not
  EXPECT_EQ(commits(files), 4u);
  write_file(shm_, "abc");  // being rebuilt
  EXPECT_EQ(commits(files), 4u);
  write_file(shm_, shm_bytes(2, 2, 0));
  EXPECT_EQ(commits(files), 6u);
}

TEST_F(DatabaseFilesTest, CommitsBeforeTheLastCloseAreNotLost) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(10, 5, 0));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(shm_, shm_bytes(15, 5, 0));
  fs::remove(shm_);
  refresh(files);
  EXPECT_FALSE(files.has_shm());
  EXPECT_EQ(commits(files), 5u);
  write_file(shm_, shm_bytes(2, 5, 0));
  refresh(files);
  EXPECT_EQ(commits(files), 7u);
}

TEST_F(DatabaseFilesTest, RollbackCommitsComeFromTheChangeCounter) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  EXPECT_EQ(commits(files), 0u);
  write_file(database_, database_bytes(false, 29));
  EXPECT_EQ(commits(files), 9u);
  EXPECT_EQ(files.commit_mark(), 29u);
}

TEST_F(DatabaseFilesTest, ReplacedDatabaseIsOpenedAnewAndItsPastIsNotCounted) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(directory_ / "new.db", database_bytes(false, 500));
  fs::rename(directory_ / "new.db", database_);
  EXPECT_THAT(refresh(files), ElementsAre(Change::kReplaced));
  EXPECT_EQ(commits(files), 0u);
  write_file(database_, database_bytes(false, 501));
  EXPECT_EQ(commits(files), 1u);
}

TEST_F(DatabaseFilesTest, DeletedDatabaseIsLetGoAndFoundAgain) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  fs::remove(database_);
  EXPECT_THAT(refresh(files), ElementsAre(Change::kGone));
  EXPECT_FALSE(files.open());
  EXPECT_THAT(refresh(files), IsEmpty());
  write_file(database_, database_bytes(false, 3));
  EXPECT_THAT(refresh(files), ElementsAre(Change::kReplaced));
}

TEST_F(DatabaseFilesTest, DirectoryInsteadOfAFileIsAnErrorThatSaysSo) {
  DatabaseFiles files(directory_.string());
  const Status refreshed = files.refresh();
  ASSERT_FALSE(refreshed.is_ok());
  EXPECT_THAT(refreshed.message(), testing::HasSubstr("is no file"));
}

TEST_F(DatabaseFilesTest, ShmBesideTheFileThatASymlinkLeadsToIsFound) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(1, 1, 0));
  fs::create_directories(directory_ / "elsewhere");
  fs::create_symlink(database_, directory_ / "elsewhere/link.db");
  DatabaseFiles files(directory_ / "elsewhere/link.db");
  refresh(files);
  EXPECT_TRUE(files.has_shm());
}

TEST_F(DatabaseFilesTest, CheckpointsAndResetsAreCountedFromTheIndexAlone) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes({.changes = 10, .frames = 100, .backfilled = 40}));
  DatabaseFiles files(database_);
  refresh(files);
  files.sample();
  EXPECT_EQ(files.totals().checkpoints, 0u) << "what was done before is none of ours";
  write_file(shm_, shm_bytes({.changes = 12, .frames = 150, .backfilled = 120}));
  files.sample();
  EXPECT_EQ(files.totals().checkpoints, 1u);
  EXPECT_EQ(files.totals().checkpointed_pages, 80u);
  EXPECT_EQ(files.totals().wal_frames, 50u);
  // Between two looks the rest was copied back, and the WAL began again.
  write_file(shm_, shm_bytes({.changes = 13, .frames = 5, .backfilled = 0, .generation = 8}));
  files.sample();
  EXPECT_EQ(files.totals().checkpoints, 2u);
  EXPECT_EQ(files.totals().checkpointed_pages, 110u);
  EXPECT_EQ(files.totals().wal_resets, 1u);
  EXPECT_EQ(files.totals().wal_frames, 55u);
}

TEST_F(DatabaseFilesTest, NewWalFileIsNoReset) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes({.changes = 10, .frames = 100}));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(shm_, shm_bytes({.changes = 11, .frames = 2, .generation = 0x9d3c11f0}));
  files.sample();
  EXPECT_EQ(files.totals().wal_resets, 0u);
  EXPECT_EQ(files.totals().checkpoints, 0u);
}

TEST_F(DatabaseFilesTest, IndexRebuiltInPlaceIsTold) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(100, 500, 0));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(shm_, shm_bytes(2, 2, 0));
  files.sample();
  EXPECT_THAT(files.take_changes(), ElementsAre(Change::kRecovered));
}

TEST_F(DatabaseFilesTest, RestoredBackupIsToldAndCountsNothing) {
  write_file(database_, database_bytes(false, 500));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(database_, "");  // while it is copied over
  files.sample();
  write_file(database_, database_bytes(false, 20));
  files.sample();
  EXPECT_THAT(files.take_changes(), ElementsAre(Change::kRestored));
  EXPECT_EQ(files.totals().commits, 0u);
  write_file(database_, database_bytes(false, 23));
  EXPECT_EQ(commits(files), 3u);
}

TEST_F(DatabaseFilesTest, JournalModeThereAndBackKeepsTheTotals) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(10, 5, 0));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(shm_, shm_bytes(14, 5, 0));
  EXPECT_EQ(commits(files), 4u);
  fs::remove(shm_);
  write_file(database_, database_bytes(false, 30));
  EXPECT_THAT(refresh(files), ElementsAre(Change::kToRollback));
  EXPECT_EQ(commits(files), 4u);
  write_file(database_, database_bytes(false, 32));
  EXPECT_EQ(commits(files), 6u);
  write_file(database_, database_bytes(true, 33));
  write_file(shm_, shm_bytes(1, 1, 0));
  EXPECT_THAT(refresh(files), ElementsAre(Change::kToWal));
  EXPECT_EQ(commits(files), 7u);
}

TEST_F(DatabaseFilesTest, DeletedAndNewIndexesAreNoticedAtOnce) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(10, 5, 0));
  DatabaseFiles files(database_);
  refresh(files);
  EXPECT_FALSE(files.shm_has_changed());
  fs::remove(shm_);
  EXPECT_TRUE(files.shm_has_changed());
  refresh(files);
  EXPECT_FALSE(files.shm_has_changed());
  write_file(shm_, shm_bytes(1, 1, 0));
  EXPECT_TRUE(files.shm_has_changed());
}

TEST_F(DatabaseFilesTest, FilesAreToldApartByDeviceAndInode) {
  write_file(database_, database_bytes(true, 1));
  write_file(database_ + "-wal", "w");
  DatabaseFiles files(database_);
  refresh(files);
  struct stat s {};
  ASSERT_EQ(::stat((database_ + "-wal").c_str(), &s), 0);
  EXPECT_EQ(files.kind_of(s.st_dev, s.st_ino), DatabaseFiles::Kind::kWal);
  ASSERT_EQ(::stat(directory_.string().c_str(), &s), 0);
  EXPECT_FALSE(files.kind_of(s.st_dev, s.st_ino));
}

}  // namespace
}  // namespace plumb::sqlite_stats
