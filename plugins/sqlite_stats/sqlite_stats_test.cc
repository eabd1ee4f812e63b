#include "sqlite_stats.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "fake_files.h"
#include "fake_host.h"

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
    plumb_value value{};
    value.struct_size = sizeof(value);
    value.type = PLUMB_OPTION_PATH;
    value.key = "database";
    value.string = database_.c_str();
    const plumb_config config{sizeof(plumb_config), 1, &value, "{}"};
    ASSERT_TRUE(plugin_.configure(Config(&config)).is_ok());
    const Status status = plugin_.start();
    ASSERT_TRUE(status.is_ok()) << status.message();
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
  SqliteStats plugin_{Host(host_.get()), proc_};
};

TEST_F(SqliteStatsTest, MissingDatabaseIsWaitedFor) {
  start();
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
  EXPECT_THAT(host_.health_message, HasSubstr("waiting for the SQLite database"));
  ticks(110);
  EXPECT_THAT(host_.samples, IsEmpty());
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
  ASSERT_TRUE(plugin_.stop(0).is_ok());
  const auto holder = rows("sqlite_lock_holders").at(0);
  EXPECT_EQ(holder.at(1), kWriter);
  EXPECT_EQ(holder.at(2), "shop");
  EXPECT_NEAR(holder.at(4).get<double>(), 0.3, 0.01);
  EXPECT_NEAR(holder.at(5).get<double>(), 0.29, 0.001);
  EXPECT_EQ(rows("sqlite_databases").at(0).at(1), "WAL");
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
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
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

}  // namespace
}  // namespace plumb::sqlite_stats
