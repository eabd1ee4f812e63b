// Several databases under one watch: whose waiter is whose.
#include <gmock/gmock.h>

#include "fake_files.h"
#include "fake_host.h"
#include "sqlite_stats.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kTickNs = 10'000'000;

class SeveralDatabasesTest : public testing::Test {
 protected:
  SeveralDatabasesTest() { host_.clock_ns = 5'000'000'000; }

  void start() {
    for (const std::string& path : paths_) {
      write_file(path, database_bytes(true, 1));
      write_file(path + "-shm", shm_bytes(1, 1, 1));
    }
    const std::string database = paths_[0] + "," + paths_[1] + "," + paths_[2];
    plumb_value values[2] = {};
    values[0] = {sizeof(plumb_value), PLUMB_OPTION_PATH, "database", database.c_str(), 0, 0};
    values[1] = {sizeof(plumb_value), PLUMB_OPTION_BOOLEAN, "inspect", nullptr, 0, 0};
    const plumb_config config{sizeof(plumb_config), 2, values, "{}"};
    ASSERT_TRUE(plugin_.configure(Config(&config)).is_ok());
    write_file(proc_ + "/locks", "");
    ASSERT_TRUE(plugin_.start().is_ok());
  }
  // Each database's lock is held by a process of its own, 41, 42 and 43, and process `waiter` has
  // those of `open` open.
  void hold_all(int waiter, const std::vector<size_t>& open) {
    std::string locks;
    for (size_t i = 0; i < paths_.size(); ++i)
      locks += lock_line(paths_[i] + "-shm", "WRITE", 41 + static_cast<int>(i), 120, 120);
    for (const size_t i : open) locks += lock_line(paths_[i] + "-shm", "READ", waiter, 128, 128);
    write_file(proc_ + "/locks", locks);
  }
  void wait_for_a_second(int waiter) {
    for (uint64_t i = 0; i < 110; ++i) {
      write_thread(proc_, waiter, waiter, kUsleeping, ++wakes_);
      *host_.clock_ns += kTickNs;
      ASSERT_TRUE(plugin_.collect().is_ok());
    }
  }
  double waiters(size_t database) {
    return host_.samples_of.at(paths_[database]).at("sqlite_waiters").back().value;
  }

  TemporaryDirectory directory_;
  const std::string proc_ = directory_ / "proc";
  const std::vector<std::string> paths_ = {directory_ / "a.db", directory_ / "b.db",
                                           directory_ / "c.db"};
  uint64_t wakes_ = 0;
  FakeHost host_;
  SqliteStats plugin_{Host(host_.get()), proc::Root{proc_, ""}, LockReading::kList};
};

TEST_F(SeveralDatabasesTest, WaiterIsCountedAtTheDatabaseThatItsProcessHasOpen) {
  start();
  hold_all(60, {1});
  wait_for_a_second(60);
  EXPECT_EQ(waiters(0), 0);
  EXPECT_NEAR(waiters(1), 1, 0.1);
  EXPECT_EQ(waiters(2), 0);
}

TEST_F(SeveralDatabasesTest, WaiterWithAllDatabasesOpenIsStillOneWaiter) {
  start();
  hold_all(60, {0, 1, 2});
  wait_for_a_second(60);
  EXPECT_NEAR(waiters(0) + waiters(1) + waiters(2), 1, 0.1);
  EXPECT_NEAR(waiters(0), waiters(2), 0.01) << "all three locks are held all the time";
}

TEST_F(SeveralDatabasesTest, DatabaseThatNobodyWritesToHasNoWaiters) {
  start();
  write_file(proc_ + "/locks", lock_line(paths_[0] + "-shm", "WRITE", 41, 120, 120) +
                                   lock_line(paths_[0] + "-shm", "READ", 60, 128, 128) +
                                   lock_line(paths_[1] + "-shm", "READ", 60, 128, 128));
  wait_for_a_second(60);
  EXPECT_NEAR(waiters(0), 1, 0.1);
  EXPECT_EQ(waiters(1), 0);
}

}  // namespace
}  // namespace plumb::sqlite_stats
