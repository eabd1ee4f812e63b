#include <gmock/gmock.h>

#include "database_files.h"
#include "fake_files.h"
#include "file_format.h"

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;
using Change = DatabaseFiles::Change;

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

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

class DatabaseFilesTest : public testing::Test {
 protected:
  Change refresh(DatabaseFiles& files) {
    const auto change = files.refresh();
    EXPECT_TRUE(change.is_ok()) << change.status().message();
    return change.is_ok() ? *change : Change::kNone;
  }
  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  const std::string shm_ = database_ + "-shm";
};

TEST_F(DatabaseFilesTest, DatabaseIsPickedUpWhenItAppears) {
  DatabaseFiles files(database_);
  EXPECT_EQ(refresh(files), Change::kNone);
  EXPECT_FALSE(files.open());
  write_file(database_, database_bytes(true, 1));
  EXPECT_EQ(refresh(files), Change::kAppeared);
  EXPECT_TRUE(files.open());
  EXPECT_FALSE(files.has_shm());
  write_file(shm_, shm_bytes(3, 10, 0));
  EXPECT_EQ(refresh(files), Change::kNone);
  EXPECT_TRUE(files.has_shm());
  EXPECT_EQ(files.commits(), 3u) << "a -shm file made under our eyes counts from zero";
}

TEST_F(DatabaseFilesTest, CommitsCountFromTheFirstLookThroughResetsAndRebuilds) {
  write_file(database_, database_bytes(true, 1));
  write_file(shm_, shm_bytes(100, 500, 0));
  DatabaseFiles files(database_);
  refresh(files);
  EXPECT_EQ(files.commits(), 0u);
  write_file(shm_, shm_bytes(104, 0, 0));  // the WAL starts again, iChange does not
  EXPECT_EQ(files.commits(), 4u);
  write_file(shm_, "abc");  // being rebuilt
  EXPECT_EQ(files.commits(), 4u);
  write_file(shm_, shm_bytes(2, 2, 0));
  EXPECT_EQ(files.commits(), 6u);
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
  EXPECT_EQ(files.commits(), 5u);
  write_file(shm_, shm_bytes(2, 5, 0));
  refresh(files);
  EXPECT_EQ(files.commits(), 7u);
}

TEST_F(DatabaseFilesTest, RollbackCommitsComeFromTheChangeCounter) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  EXPECT_EQ(files.commits(), 0u);
  write_file(database_, database_bytes(false, 29));
  EXPECT_EQ(files.commits(), 9u);
  EXPECT_EQ(files.commit_mark(), 29u);
}

TEST_F(DatabaseFilesTest, ReplacedDatabaseIsOpenedAnewAndItsPastIsNotCounted) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  write_file(directory_ / "new.db", database_bytes(false, 500));
  fs::rename(directory_ / "new.db", database_);
  EXPECT_EQ(refresh(files), Change::kReplaced);
  EXPECT_EQ(files.commits(), 0u);
  write_file(database_, database_bytes(false, 501));
  EXPECT_EQ(files.commits(), 1u);
}

TEST_F(DatabaseFilesTest, DeletedDatabaseIsLetGoAndFoundAgain) {
  write_file(database_, database_bytes(false, 20));
  DatabaseFiles files(database_);
  refresh(files);
  fs::remove(database_);
  EXPECT_EQ(refresh(files), Change::kGone);
  EXPECT_FALSE(files.open());
  EXPECT_EQ(refresh(files), Change::kNone);
  write_file(database_, database_bytes(false, 3));
  EXPECT_EQ(refresh(files), Change::kReplaced);
}

TEST_F(DatabaseFilesTest, DirectoryInsteadOfAFileIsAnErrorThatSaysSo) {
  DatabaseFiles files(directory_.string());
  const auto change = files.refresh();
  ASSERT_FALSE(change.is_ok());
  EXPECT_THAT(change.status().message(), testing::HasSubstr("is no file"));
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

}  // namespace
}  // namespace plumb::sqlite_stats
