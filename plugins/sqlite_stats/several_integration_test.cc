// Real SQLite in child processes: several databases at once, and what may become of a database's
// files while it is watched.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "child.h"
#include "fake_files.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

constexpr size_t kDatabases = 3;
constexpr std::array<int, kDatabases> kWaiters = {0, 1, 3};
constexpr auto kHeldFor = milliseconds(150);

// Shared with the children: what really happened.
struct Truth {
  std::array<std::atomic<int64_t>, kDatabases> waited_ns{};
  std::array<std::atomic<int>, kDatabases> commits{};
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> end{false};
};

class SeveralTest : public testing::Test {
 protected:
  std::string path(size_t i) const { return directory_ / (std::to_string(i) + ".db"); }

  void make_databases(const std::string& journal) {
    const int status = wait_for(spawn([&] {
      for (size_t i = 0; i < kDatabases; ++i) {
        SQLite::Database db(path(i), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        db.exec("PRAGMA journal_mode=" + journal);
        db.exec("CREATE TABLE IF NOT EXISTS t (x)");
      }
    }));
    ASSERT_EQ(status, 0);
  }
  std::string all_paths() const { return path(0) + "," + path(1) + "," + path(2); }

  void wait_for_go() {
    ++truth_->ready;
    while (!truth_->go) std::this_thread::sleep_for(milliseconds(1));
  }
  void begin(SQLite::Database& db, size_t i) {
    const int64_t begun_ns = monotonic_ns();
    db.exec("BEGIN IMMEDIATE");
    truth_->waited_ns.at(i) += monotonic_ns() - begun_ns;
  }
  // Holds the lock most of the time.
  void hold(size_t i) {
    SQLite::Database db(path(i), SQLite::OPEN_READWRITE, 20'000);
    wait_for_go();
    while (!truth_->end) {
      begin(db, i);
      std::this_thread::sleep_for(kHeldFor);
      db.exec("INSERT INTO t VALUES (1); COMMIT");
      ++truth_->commits.at(i);
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  // Waits for the lock most of the time.
  void want(size_t i) {
    SQLite::Database db(path(i), SQLite::OPEN_READWRITE, 20'000);
    wait_for_go();
    while (!truth_->end) {
      begin(db, i);
      db.exec("INSERT INTO t VALUES (2); COMMIT");
      ++truth_->commits.at(i);
    }
  }
  // The clients were started before the watch: a child has its parent's files open.
  void watch_until_the_end(int clients) {
    while (truth_->ready < clients) std::this_thread::sleep_for(milliseconds(1));
    run_.start({.database = all_paths()});
    truth_->go = true;
    run_.collect_for(5'000'000'000);
    truth_->end = true;
    // Those who still wait when it ends count to the end.
    std::atomic<bool> done{false};
    std::thread ender([&] {
      EXPECT_TRUE(children_.all_ended_well());
      done = true;
    });
    run_.collect_while([&] { return !done; });
    ender.join();
    run_.stop();
  }
  // Thread-seconds.
  double waited(size_t i) {
    double sum = 0;
    int64_t from_ns = run_.start_ns;
    for (const SeenSample& sample : run_.host.samples_of[path(i)]["sqlite_waiters"]) {
      sum += sample.value * static_cast<double>(sample.time_ns - from_ns) / 1e9;
      from_ns = sample.time_ns;
    }
    return sum;
  }
  double truly_waited(size_t i) { return static_cast<double>(truth_->waited_ns.at(i)) / 1e9; }
  double commits(size_t i) {
    return run_.host.samples_of[path(i)]["sqlite_commits_total"].back().value;
  }
  void tell(const char* what) {
    std::printf("%-28s", what);
    for (size_t i = 0; i < kDatabases; ++i)
      std::printf("  %zu: waited %.2f s (true %.2f), commits %.0f (true %d)", i, waited(i),
                  truly_waited(i), commits(i), truth_->commits.at(i).load());
    std::printf("  sampler %.2f%% of a core\n", 100 * run_.cpu_share);
  }

  TemporaryDirectory directory_;
  Shared<Truth> truth_;
  Children children_;
  PluginRun run_;
};

class SeveralJournalsTest : public SeveralTest, public testing::WithParamInterface<const char*> {};

TEST_P(SeveralJournalsTest, EachDatabaseHasTheWaitersOfItsOwnProcesses) {
  make_databases(GetParam());
  int clients = 0;
  for (size_t i = 0; i < kDatabases; ++i) {
    children_.add([this, i] { hold(i); });
    for (int n = 0; n < kWaiters.at(i); ++n) children_.add([this, i] { want(i); });
    clients += 1 + kWaiters.at(i);
  }
  watch_until_the_end(clients);
  tell(GetParam());
  for (size_t i = 0; i < kDatabases; ++i) {
    EXPECT_NEAR(waited(i), truly_waited(i), 1.0 + 0.15 * truly_waited(i)) << i;
    EXPECT_EQ(commits(i), truth_->commits.at(i)) << i;
  }
}

TEST_P(SeveralJournalsTest, WaitersOfOneProcessWithAllDatabasesOpenAreCountedOnce) {
  make_databases(GetParam());
  int clients = 0;
  for (size_t i = 0; i < kDatabases; ++i) clients += 1 + kWaiters.at(i);
  children_.add([this] {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kDatabases; ++i) {
      threads.emplace_back([this, i] { hold(i); });
      for (int n = 0; n < kWaiters.at(i); ++n) threads.emplace_back([this, i] { want(i); });
    }
    for (std::thread& thread : threads) thread.join();
  });
  watch_until_the_end(clients);
  tell(GetParam());
  const double all = waited(0) + waited(1) + waited(2);
  const double truth = truly_waited(0) + truly_waited(1) + truly_waited(2);
  EXPECT_NEAR(all, truth, 1.0 + 0.15 * truth);
  for (size_t i = 0; i < kDatabases; ++i) EXPECT_EQ(commits(i), truth_->commits.at(i)) << i;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SeveralJournalsTest, testing::Values("WAL", "DELETE"),
                         [](const auto& of) { return std::string(of.param); });

class FilesTest : public SeveralTest {
 protected:
  // Commits every few milliseconds, counted, until told to end.
  void write(const std::string& pragmas = "") {
    SQLite::Database db(path(0), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000);
    if (!pragmas.empty()) db.exec(pragmas);
    db.exec("CREATE TABLE IF NOT EXISTS t (x)");
    wait_for_go();
    while (!truth_->end) {
      db.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
      std::this_thread::sleep_for(milliseconds(15));
      db.exec("COMMIT");
      ++truth_->commits.at(0);
      std::this_thread::sleep_for(milliseconds(5));
    }
    // Ended by a signal, so that the files stay as the test left them.
    ::kill(::getpid(), SIGKILL);
  }
  void start_writer(const std::string& pragmas = "") {
    children_.add([this, pragmas] { write(pragmas); });
    run_.collect_while([this] { return truth_->ready < 1; });
    truth_->go = true;
    run_.collect_for(1'500'000'000);
  }
  void end() {
    truth_->end = true;
    children_.all_ended_well();
    run_.stop();
  }
  std::string notes() { return run_.rows("sqlite_databases").at(0).back(); }
};

TEST_F(FilesTest, DatabaseThatIsDeletedAndMadeAnewUnderItsWriterIsFollowed) {
  make_databases("WAL");
  run_.start({.database = path(0)});
  start_writer();
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(path(0) + end);
  run_.collect_for(1'200'000'000);
  EXPECT_TRUE(run_.has_event("sqlite-database-gone"));
  EXPECT_THAT(run_.host.health_message, HasSubstr("it was there before and is gone"));
  const double before = commits(0);
  make_databases("WAL");
  ASSERT_EQ(wait_for(spawn([this] {
              SQLite::Database db(path(0), SQLite::OPEN_READWRITE, 5000);
              std::this_thread::sleep_for(milliseconds(300));
              for (int i = 0; i < 7; ++i) db.exec("INSERT INTO t VALUES (1)");
              std::this_thread::sleep_for(milliseconds(300));
            })),
            0);
  run_.collect_for(1'200'000'000);
  EXPECT_TRUE(run_.has_event("sqlite-database-replaced"));
  EXPECT_EQ(run_.host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << run_.host.health_message;
  EXPECT_GE(commits(0), before);
  end();
}

TEST_F(FilesTest, DatabaseThatIsReplacedByRenamingIsFollowed) {
  make_databases("DELETE");
  run_.start({.database = path(0)});
  start_writer();
  fs::rename(path(1), path(0));
  const auto writer = children_.add([this] {
    SQLite::Database db(path(0), SQLite::OPEN_READWRITE, 5000);
    while (!truth_->end) {
      db.exec("BEGIN IMMEDIATE");
      std::this_thread::sleep_for(milliseconds(50));
      db.exec("COMMIT");
    }
  });
  run_.collect_for(1'500'000'000);
  EXPECT_TRUE(run_.has_event("sqlite-database-replaced"));
  EXPECT_GT(run_.last("sqlite_write_lock_ratio"), 0.5) << "the lock on the new file is seen";
  end();
  const auto holders = run_.rows("sqlite_lock_holders");
  EXPECT_TRUE(std::any_of(holders.begin(), holders.end(),
                          [writer](const auto& row) { return row.at(1) == writer; }));
}

TEST_F(FilesTest, IndexThatIsDeletedInUseIsToldAndWatchedOn) {
  make_databases("WAL");
  run_.start({.database = path(0)});
  start_writer();
  const double before = commits(0);
  fs::remove(path(0) + "-shm");
  run_.collect_for(4'000'000'000);
  EXPECT_TRUE(run_.has_event("sqlite-wal-index-deleted"));
  EXPECT_GT(commits(0), before + 30) << "its writer goes on as before";
  EXPECT_GT(run_.last("sqlite_write_lock_ratio"), 0.4);
  EXPECT_THAT(notes(), Not(HasSubstr("nobody uses it")));
  end();
  // It runs until it is told to end, which is after the last sample.
  EXPECT_NEAR(commits(0), truth_->commits.at(0), 2);
}

TEST_F(FilesTest, OrdinaryCloseIsNoIndexDeletedInUse) {
  make_databases("WAL");
  run_.start({.database = path(0)});
  children_.add([this] {
    for (int i = 0; i < 200; ++i) {
      SQLite::Database db(path(0), SQLite::OPEN_READWRITE, 5000);
      db.exec("INSERT INTO t VALUES (1)");
      std::this_thread::sleep_for(milliseconds(10));
    }
    truth_->end = true;
  });
  run_.collect_while([this] { return !truth_->end; });
  EXPECT_FALSE(run_.has_event("sqlite-wal-index-deleted"));
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();
}

TEST_F(FilesTest, ExclusiveLockingModeWithWalSaysThatCommitsAreNotSeen) {
  make_databases("WAL");
  run_.start({.database = path(0)});
  start_writer("PRAGMA locking_mode=EXCLUSIVE");
  run_.collect_for(4'000'000'000);
  EXPECT_NEAR(run_.last("sqlite_lock_ratio/exclusive"), 1, 0.01);
  EXPECT_THAT(notes(), HasSubstr("locking_mode=EXCLUSIVE: commits are not seen"));
  const auto& commits = run_.host.samples.at("sqlite_commits_total");
  EXPECT_LT(commits.back().time_ns, run_.end_ns - 2'000'000'000) << "no zero for what is not known";
  end();
}

TEST_F(FilesTest, FiftyReadersAreNeitherWaitersNorInTheWay) {
  make_databases("WAL");
  run_.start({.database = path(0)});
  for (int i = 0; i < 50; ++i) {
    children_.add([this] {
      SQLite::Database db(path(0), SQLite::OPEN_READONLY, 5000);
      while (!truth_->end) {
        db.execAndGet("SELECT count(*) FROM t");
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  start_writer();
  run_.collect_for(3'000'000'000);
  EXPECT_LT(run_.last("sqlite_waiters"), 0.1);
  EXPECT_GT(run_.last("sqlite_write_lock_ratio"), 0.4);
  EXPECT_FALSE(run_.has_event("sqlite-checkpoint-pinned"));
  EXPECT_EQ(run_.host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << run_.host.health_message;
  std::printf("50 readers, one writer: sampler %.2f%% of a core\n", 100 * run_.cpu_share);
  end();
  EXPECT_NEAR(commits(0), truth_->commits.at(0), 2);
}

}  // namespace
}  // namespace plumb::sqlite_stats
