#include "sqlite_stats.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "fake_files.h"
#include "fake_host.h"
#include "tables.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kTick = 10'000'000;
constexpr int kWriter = 41;

class SqliteStatsTest : public testing::Test {
 protected:
  SqliteStatsTest() {
    host_.clock_ns = 5'000'000'000;
    write_file(proc_ + "/locks", "");
    write_file(proc_ + "/41/comm", "shop\n");
  }
  void start() {
    ASSERT_TRUE(configure(database_).is_ok());
    const Status status = plugin_.start();
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  Status configure(const std::string& database) {
    plumb_value values[2] = {};
    values[0] = {sizeof(plumb_value), PLUMB_OPTION_PATH, "database", database.c_str(), 0, 0};
    values[1] = {sizeof(plumb_value), PLUMB_OPTION_BOOLEAN, "inspect", nullptr, 0, 0};
    const plumb_config config{sizeof(plumb_config), 2, values, "{}"};
    return plugin_.configure(Config(&config));
  }
  void ticks(int count) {
    for (int i = 0; i < count; ++i) {
      *host_.clock_ns += kTick;
      const Status status = plugin_.collect();
      ASSERT_TRUE(status.is_ok()) << status.message();
    }
  }
  void make_database(uint32_t changes = 100) {
    write_file(database_, database_bytes(true, 1));
    write_file(database_ + "-shm", shm_bytes(changes, 900, 250));
  }
  void hold_lock() {
    write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", kWriter, 120, 120));
  }
  void free_lock() { write_file(proc_ + "/locks", ""); }
  double last(const std::string& series) { return host_.samples.at(series).back().value; }
  nlohmann::json rows(const std::string& table) {
    return nlohmann::json::parse(host_.tables.at(table)).at("rows");
  }

  TemporaryDirectory directory_;
  const std::string proc_ = directory_ / "proc";
  const std::string database_ = directory_ / "shop.db";
  FakeHost host_;
  SqliteStats plugin_{Host(host_.get()), proc::Root{proc_, ""}, LockReading::kList};
};

TEST_F(SqliteStatsTest, MissingDatabaseIsWaitedFor) {
  start();
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host_.health_message, HasSubstr("waiting for the SQLite database"));
  ticks(110);
  EXPECT_THAT(host_.samples, IsEmpty());
  EXPECT_THAT(host_.health_message, HasSubstr("no such file"));
  make_database();
  ticks(110);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK));
  ASSERT_FALSE(host_.events.empty());
  EXPECT_EQ(host_.events[0].kind, "sqlite-database-found");
  EXPECT_EQ(last("sqlite_checkpoint_debt_pages"), 650);
}

TEST_F(SqliteStatsTest, OccupancyIsTheShareOfTicksThatFoundTheLockHeld) {
  make_database();
  start();
  hold_lock();
  ticks(30);
  free_lock();
  ticks(70);
  EXPECT_NEAR(last("sqlite_write_lock_ratio"), 0.3, 0.01);
  EXPECT_EQ(host_.resources["sqlite_write_lock_ratio"], "SQLite's write lock");
  EXPECT_EQ(host_.ledger_lines["sqlite_waiters"], "database.sqlite_lock");
  EXPECT_EQ(host_.help["sqlite_waiters"], "threads waiting for SQLite's write lock")
      << "the label of the ledger's line";
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  const auto holder = rows("sqlite_lock_holders").at(0);
  EXPECT_EQ(holder.at(1), kWriter);
  EXPECT_EQ(holder.at(2), "shop");
  EXPECT_NEAR(holder.at(4).get<double>(), 0.3, 0.01);
  EXPECT_NEAR(holder.at(5).get<double>(), 0.29, 0.001);
  EXPECT_EQ(rows("sqlite_databases").at(0).at(1), "WAL");
  EXPECT_NEAR(host_.histograms.at("sqlite_write_hold_seconds").at(0).values.quantile(0.5).value(),
              3e8, 1e7);
}

TEST_F(SqliteStatsTest, WaitersAreTheMeanOverTheSecond) {
  make_database();
  write_thread(proc_, 60, 60, kUsleeping, 1);
  start();
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", kWriter, 120, 120) +
                                   lock_line(database_ + "-shm", "READ", 60, 128, 128));
  for (int i = 0; i < 50; ++i) {
    write_thread(proc_, 60, 60, kUsleeping, 2 + static_cast<uint64_t>(i));
    ticks(1);
  }
  write_thread(proc_, 60, 60, kInFutex, 99);
  free_lock();
  ticks(50);
  EXPECT_NEAR(last("sqlite_waiters"), 0.5, 0.06);
}

TEST_F(SqliteStatsTest, WaitersAreAMeanOverTimeAndNotOverLooks) {
  make_database();
  start();
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", kWriter, 120, 120) +
                                   lock_line(database_ + "-shm", "READ", 60, 128, 128));
  for (uint64_t i = 0; i < 20; ++i) {
    write_thread(proc_, 60, 60, kUsleeping, 2 + i);
    ticks(1);
  }
  // From now on the machine is busy, and looks come late.
  write_thread(proc_, 60, 60, kInFutex, 99);
  free_lock();
  ticks(6);
  *host_.clock_ns += 730'000'000;
  ticks(1);
  EXPECT_NEAR(last("sqlite_waiters"), 0.2, 0.06);
}

TEST_F(SqliteStatsTest, HoldsShorterThanASampleHaveNoLongest) {
  make_database();
  start();
  hold_lock();
  for (uint32_t i = 0; i < 20; ++i) {
    write_file(database_ + "-shm", shm_bytes(101 + i, 900, 250));
    ticks(1);
  }
  free_lock();
  ticks(10);
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  const auto holder = rows("sqlite_lock_holders").at(0);
  EXPECT_GT(holder.at(4).get<double>(), 0.5);
  EXPECT_TRUE(holder.at(5).is_null()) << holder.at(5) << ": it was not zero, but too short to see";
}

TEST(CellsTest, NumbersHaveNoMoreDigitsThanTheirUnit) {
  EXPECT_EQ(nlohmann::json(seconds_of(13'000'000)).dump(), "0.013");
  EXPECT_EQ(nlohmann::json(rounded(0.30001, 1e-4)).dump(), "0.3");
}

TEST_F(SqliteStatsTest, TablesAreSentWhenTheyChange) {
  make_database();
  start();
  ticks(2100);
  EXPECT_EQ(host_.table_emissions["sqlite_databases"], 1);
  EXPECT_EQ(host_.table_emissions["sqlite_lock_holders"], 1);
  hold_lock();
  ticks(10);
  free_lock();
  ticks(600);
  EXPECT_EQ(host_.table_emissions["sqlite_databases"], 2) << "whether it syncs was looked for";
  EXPECT_EQ(host_.table_emissions["sqlite_lock_holders"], 2);
  ticks(2100);
  EXPECT_EQ(host_.table_emissions["sqlite_databases"], 2);
}

TEST_F(SqliteStatsTest, PathThatIsNoUtf8IsEscapedAndTheOthersAreWatchedToo) {
  make_database();
  write_file(directory_ / "caf\xe9.db", database_bytes(true, 1));
  ASSERT_TRUE(configure(directory_ / "*.db").is_ok());
  const Status status = plugin_.start();
  ASSERT_TRUE(status.is_ok()) << status.message();
  ticks(110);
  EXPECT_EQ(host_.databases, (std::set<std::string>{directory_ / "caf\\xe9.db", database_}));
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  EXPECT_EQ(rows("sqlite_databases").at(0).at(0), directory_ / "caf\\xe9.db");
  for (const SeenEvent& event : host_.events)
    EXPECT_THAT(event.message, testing::Not(HasSubstr("\xe9")));
}

TEST_F(SqliteStatsTest, LongHoldIsAnEventThatNamesTheProcessOnce) {
  make_database();
  start();
  hold_lock();
  ticks(250);
  ASSERT_EQ(host_.events.size(), 2u);
  EXPECT_EQ(host_.events[1].kind, "sqlite-lock-held-long");
  EXPECT_THAT(host_.events[1].message, HasSubstr("process 41 (shop)"));
  EXPECT_EQ(nlohmann::json::parse(host_.events[1].attributes).at("pid"), kWriter);
}

TEST_F(SqliteStatsTest, BusyWriterThatKeepsCommittingHoldsNoTransactionLong) {
  make_database();
  start();
  hold_lock();
  for (uint32_t i = 0; i < 30; ++i) {
    write_file(database_ + "-shm", shm_bytes(101 + i, 900, 250));
    ticks(10);
  }
  EXPECT_EQ(host_.events.size(), 1u);
  EXPECT_EQ(last("sqlite_commits_total"), 30);
  EXPECT_NEAR(last("sqlite_write_lock_ratio"), 1.0, 0.001);
}

TEST_F(SqliteStatsTest, HolderWithTheLargestShareComesFirst) {
  make_database();
  start();
  hold_lock();
  ticks(10);
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", 99, 120, 120));
  ticks(30);
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  const auto holders = rows("sqlite_lock_holders");
  ASSERT_EQ(holders.size(), 2u);
  EXPECT_EQ(holders.at(0).at(1), 99);
  EXPECT_EQ(holders.at(0).at(2), "?") << "a process that is gone already";
}

TEST_F(SqliteStatsTest, ReplacedAndDeletedDatabasesAreTold) {
  make_database();
  start();
  ticks(20);
  write_file(directory_ / "new.db", database_bytes(true, 1));
  std::filesystem::rename(directory_ / "new.db", database_);
  ticks(20);
  EXPECT_EQ(host_.events.back().kind, "sqlite-database-replaced");
  std::filesystem::remove(database_);
  ticks(20);
  EXPECT_EQ(host_.events.back().kind, "sqlite-database-gone");
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
}

TEST_F(SqliteStatsTest, CommitsAreCutAtStages) {
  make_database(100);
  start();
  ticks(10);
  write_file(database_ + "-shm", shm_bytes(107, 900, 250));
  ASSERT_TRUE(plugin_.stage({PLUMB_STAGE_STEADY, "steady", 0, 0}).is_ok());
  EXPECT_EQ(last("sqlite_commits_total"), 7);
}

TEST_F(SqliteStatsTest, StopWithoutStartIsFine) {
  EXPECT_TRUE(plugin_.stop(0).is_ok());
  EXPECT_TRUE(plugin_.stop(0).is_ok());
}

TEST_F(SqliteStatsTest, EmptyPathIsRefusedAtConfigure) {
  const plumb_config config{sizeof(plumb_config), 0, nullptr, "{}"};
  const Status status = plugin_.configure(Config(&config));
  EXPECT_EQ(status.code(), PLUMB_INVALID_ARGUMENT);
  EXPECT_THAT(status.message(), HasSubstr("database"));
}

TEST_F(SqliteStatsTest, ReaderThatPinsTheCheckpointIsNamedWithItsFrame) {
  write_file(database_, database_bytes(true, 1));
  const auto index = [](uint32_t frames) {
    return shm_bytes({.changes = frames, .frames = frames, .read_marks = {0, 200}});
  };
  write_file(database_ + "-shm", index(200));
  write_file(proc_ + "/77/comm", "report\n");
  start();
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "READ", 77, 124, 124));
  for (uint32_t i = 0; i < 250; ++i) {
    write_file(database_ + "-shm", index(200 + 4 * i));
    ticks(1);
  }
  ASSERT_EQ(host_.events.size(), 2u);
  EXPECT_EQ(host_.events[1].kind, "sqlite-checkpoint-pinned");
  EXPECT_THAT(host_.events[1].message, HasSubstr("process 77 (report)"));
  EXPECT_THAT(host_.events[1].message, HasSubstr("frame 200"));
  const auto attributes = nlohmann::json::parse(host_.events[1].attributes);
  EXPECT_EQ(attributes.at("pid"), 77);
  EXPECT_EQ(attributes.at("frame"), 200);
  EXPECT_NEAR(last("sqlite_checkpoint_pinned_frames"), 780, 45);
  EXPECT_NEAR(last("sqlite_oldest_reader_seconds"), 1.9, 0.11);
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  const auto row = rows("sqlite_readers").at(0);
  EXPECT_EQ(row.at(1), 77);
  EXPECT_EQ(row.at(3), 1) << "slot";
  EXPECT_EQ(row.at(4), 200) << "frame";
}

TEST_F(SqliteStatsTest, RollbackLocksAreToldApart) {
  write_file(database_, database_bytes(false, 9));
  start();
  const auto lock = [this](int64_t first, int64_t last) {
    write_file(proc_ + "/locks", lock_line(database_, "WRITE", kWriter, first, last));
  };
  lock(kReservedByte, kReservedByte);
  ticks(50);
  lock(kPendingByte, kReservedByte);
  ticks(20);
  lock(kPendingByte, kSharedLast);
  ticks(10);
  write_file(database_, database_bytes(false, 10));
  free_lock();
  ticks(20);
  EXPECT_NEAR(last("sqlite_lock_ratio/reserved"), 0.5, 0.011);
  EXPECT_NEAR(last("sqlite_lock_ratio/pending"), 0.2, 0.011);
  EXPECT_NEAR(last("sqlite_lock_ratio/exclusive"), 0.1, 0.011);
  EXPECT_EQ(last("sqlite_lock_ratio/write"), 0);
  EXPECT_NEAR(last("sqlite_write_lock_ratio"), 0.8, 0.011);
  const auto& holds = host_.histograms.at("sqlite_write_hold_seconds").back().values;
  EXPECT_EQ(holds.count(), 1u) << "one transaction, whatever it climbed through";
  EXPECT_NEAR(static_cast<double>(holds.sum()) / 1e9, 0.8, 0.011);
}

TEST_F(SqliteStatsTest, CheckpointLockHasAShareOfItsOwn) {
  make_database();
  start();
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", kWriter, 121, 121));
  ticks(100);
  EXPECT_NEAR(last("sqlite_lock_ratio/checkpoint"), 1.0, 0.011);
  EXPECT_EQ(last("sqlite_write_lock_ratio"), 0);
}

TEST_F(SqliteStatsTest, SharesOfTheTimeHeldSumToOne) {
  make_database();
  start();
  hold_lock();
  ticks(10);
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", 99, 120, 120));
  ticks(30);
  free_lock();
  ticks(60);
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  double sum = 0;
  for (const auto& row : rows("sqlite_lock_holders")) sum += row.at(6).get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-3);
}

TEST_F(SqliteStatsTest, SeveralDatabasesAreWatchedWithOneListingOfLocks) {
  make_database();
  const std::string other = directory_ / "other.db";
  write_file(other, database_bytes(false, 1));
  ASSERT_TRUE(configure(database_ + ", " + other).is_ok());
  ASSERT_TRUE(plugin_.start().is_ok());
  write_file(proc_ + "/locks", lock_line(database_ + "-shm", "WRITE", kWriter, 120, 120) +
                                   lock_line(other, "WRITE", 99, kReservedByte, kReservedByte));
  ticks(100);
  EXPECT_EQ(host_.databases, (std::set<std::string>{database_, other}));
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  EXPECT_EQ(rows("sqlite_lock_holders").size(), 2u);
  EXPECT_EQ(rows("sqlite_databases").size(), 2u);
}

TEST_F(SqliteStatsTest, DatabaseThatNeverComesIsToldInHealthAndAtTheEnd) {
  ASSERT_TRUE(configure(directory_ / "nowhere/shop.db").is_ok());
  ASSERT_TRUE(plugin_.start().is_ok());
  ticks(300);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host_.health_message, HasSubstr("nowhere/shop.db"));
  EXPECT_THAT(host_.health_message, HasSubstr("its directory does not exist"));
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  ASSERT_EQ(host_.events.size(), 1u);
  EXPECT_EQ(host_.events[0].kind, "sqlite-database-never-found");
  EXPECT_THAT(host_.samples, IsEmpty()) << "no zero for what is not there";
}

TEST_F(SqliteStatsTest, PatternWithoutAMatchIsToldAndServedLater) {
  ASSERT_TRUE(configure(directory_ / "*.db").is_ok());
  ASSERT_TRUE(plugin_.start().is_ok());
  EXPECT_THAT(host_.health_message, HasSubstr("waiting for an SQLite database that matches"));
  make_database();
  ticks(510);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
  EXPECT_EQ(host_.databases, std::set<std::string>{database_});
}

TEST_F(SqliteStatsTest, ForeignFileIsToldAndTheWatchGoesOn) {
  write_file(database_, std::string(4096, 'x'));
  start();
  ticks(110);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host_.health_message, HasSubstr("is no SQLite database, or is encrypted"));
  write_file(database_, database_bytes(false, 1));
  ticks(110);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
}

TEST_F(SqliteStatsTest, WhatIsNoFileLeavesItInTheDark) {
  std::filesystem::create_directories(directory_ / "dir.db");
  std::filesystem::create_symlink("loop.db", directory_ / "loop.db");
  ASSERT_EQ(::mkfifo((directory_ / "pipe.db").c_str(), 0600), 0);
  ASSERT_TRUE(
      configure(directory_ / "dir.db" + "," + directory_ / "loop.db" + "," + directory_ / "pipe.db")
          .is_ok());
  ASSERT_TRUE(plugin_.start().is_ok());
  ticks(20);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK)) << host_.health_message;
  EXPECT_THAT(host_.health_message, HasSubstr("pipe.db is no file"));
}

TEST_F(SqliteStatsTest, OneDatabaseOfTwoIsSeenInPart) {
  make_database();
  ASSERT_TRUE(configure(database_ + "," + directory_ / "other.db").is_ok());
  ASSERT_TRUE(plugin_.start().is_ok());
  ticks(20);
  EXPECT_EQ(host_.health, uint32_t{PLUMB_HEALTH_DEGRADED}) << host_.health_message;
}

TEST_F(SqliteStatsTest, FileShorterThanAHeaderIsToldAsCutOff) {
  write_file(database_, database_bytes(true, 1).substr(0, 50));
  start();
  ticks(20);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host_.health_message, HasSubstr("is cut off, or no SQLite database: it has 50"));
  write_file(database_, "");
  ticks(20);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << "still empty";
}

TEST_F(SqliteStatsTest, StatementsThatAreNoReadableFileAreRefusedAtOnce) {
  const std::string pipe = directory_ / "pipe.sql";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto refusal = [this](const std::string& statements) {
    const plumb_value values[2] = {
        {sizeof(plumb_value), PLUMB_OPTION_PATH, "database", database_.c_str(), 0, 0},
        {sizeof(plumb_value), PLUMB_OPTION_PATH, "statements", statements.c_str(), 0, 0}};
    const plumb_config config{sizeof(plumb_config), 2, values, "{}"};
    const Status status = plugin_.configure(Config(&config));
    EXPECT_EQ(status.code(), PLUMB_INVALID_ARGUMENT);
    return status.message();
  };
  EXPECT_THAT(refusal(pipe), HasSubstr("pipe.sql is no file"));
  EXPECT_THAT(refusal(directory_ / "none.sql"), HasSubstr("No such file or directory"));
  write_file(directory_ / "large.sql", std::string((1 << 20) + 1, ' '));
  EXPECT_THAT(refusal(directory_ / "large.sql"), HasSubstr("has more than 1 MiB"));
}

TEST_F(SqliteStatsTest, TotalsNeverFallWhateverBecomesOfTheFiles) {
  make_database(100);
  start();
  const auto index = [this](uint32_t changes, uint32_t frames, uint32_t generation) {
    write_file(database_ + "-shm",
               shm_bytes({.changes = changes, .frames = frames, .generation = generation}));
    ticks(120);
  };
  index(130, 1000, 7);
  index(135, 20, 8);      // reset
  index(3, 4, 8);         // recovered
  index(9, 5, 0xabcdef);  // a new WAL file
  write_file(directory_ / "new.db", database_bytes(false, 900));
  std::filesystem::remove(database_ + "-shm");
  std::filesystem::rename(directory_ / "new.db", database_);
  ticks(120);
  write_file(database_, database_bytes(false, 5));  // restored
  ticks(120);
  write_file(database_, database_bytes(false, 8));
  ticks(120);
  std::filesystem::remove(database_);
  ticks(120);
  make_database(1);
  ticks(120);
  for (const char* name : {"sqlite_commits_total", "sqlite_wal_frames_total",
                           "sqlite_checkpoints_total", "sqlite_wal_resets_total"}) {
    double before = 0;
    for (const SeenSample& sample : host_.samples.at(name)) {
      EXPECT_GE(sample.value, before) << name;
      before = sample.value;
    }
  }
  EXPECT_EQ(last("sqlite_commits_total"), 30 + 5 + 3 + 6 + 3);
  std::vector<std::string> kinds;
  for (const SeenEvent& event : host_.events) kinds.push_back(event.kind);
  EXPECT_THAT(kinds, testing::ElementsAre("sqlite-database-found", "sqlite-wal-recovered",
                                          "sqlite-database-replaced", "sqlite-database-restored",
                                          "sqlite-database-gone", "sqlite-database-replaced"));
}

TEST_F(SqliteStatsTest, GrowthComesFromTheHeaders) {
  std::string header = database_bytes(true, 4);
  header[39] = 12;  // free pages
  write_file(database_, header);
  write_file(database_ + "-shm", shm_bytes({.changes = 1, .frames = 900, .pages = 333}));
  start();
  ticks(110);
  EXPECT_EQ(last("sqlite_free_pages"), 12);
  EXPECT_EQ(last("sqlite_database_pages"), 333);
}

}  // namespace
}  // namespace plumb::sqlite_stats
