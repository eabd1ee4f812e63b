// That watching harms nobody, and that who holds the lock is named, on real SQLite.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "child.h"
#include "database_files.h"
#include "fake_files.h"
#include "lock_probe.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Truth {
  std::atomic<uint64_t> transaction{0};  // odd while the lock is surely held
  std::atomic<int> commits{0};
  std::atomic<int> busy{0};
  std::atomic<int> errors{0};
  std::atomic<int> step{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> end{false};
};

class HarmlessTest : public testing::TestWithParam<const char*> {
 protected:
  void make_database(const std::string& path) {
    const int status = wait_for(spawn([&] {
      SQLite::Database db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      db.exec(std::string("PRAGMA journal_mode=") + GetParam());
      db.exec("CREATE TABLE t (x)");
    }));
    ASSERT_EQ(status, 0);
  }
  bool is_sound(const std::string& path, int least_rows) {
    return wait_for(spawn([&] {
             SQLite::Database db(path);
             const std::string answer = db.execAndGet("PRAGMA integrity_check").getString();
             const int rows = db.execAndGet("SELECT count(*) FROM t").getInt();
             ::_exit(answer == "ok" && rows >= least_rows ? 0 : 1);
           })) == 0;
  }
  // Commits without end, and never waits for a lock: whoever gets in its way is noticed.
  void write_impatiently() {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 0);
    while (!truth_->end) {
      try {
        db.exec("INSERT INTO t VALUES (randomblob(200))");
        ++truth_->commits;
      } catch (const SQLite::Exception& e) {
        ++(e.getErrorCode() == SQLITE_BUSY ? truth_->busy : truth_->errors);
      }
      std::this_thread::sleep_for(microseconds(200));
    }
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  Shared<Truth> truth_;
  Children children_;
  PluginRun run_;
};

TEST_P(HarmlessTest, WriterIsNamedInNearlyEverySampleThatFindsTheLockHeld) {
  make_database(database_);
  const pid_t writer = children_.add([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 5000);
    std::mt19937 random(7);
    std::uniform_int_distribution<int> work_us(0, 12'000);
    while (!truth_->end) {
      db.exec("BEGIN IMMEDIATE");
      ++truth_->transaction;
      db.exec("INSERT INTO t VALUES (1)");
      std::this_thread::sleep_for(microseconds(work_us(random)));
      ++truth_->transaction;
      db.exec("COMMIT");
      ++truth_->commits;
      std::this_thread::sleep_for(microseconds(work_us(random) / 4));
    }
  });
  while (truth_->commits < 3) std::this_thread::sleep_for(milliseconds(1));
  DatabaseFiles files(database_);
  ASSERT_TRUE(files.refresh().is_ok());
  int held = 0;
  int named = 0;
  for (int i = 0; i < 500; ++i) {
    const uint64_t before = truth_->transaction;
    const auto state = ask_locks(files.database_fd(), files.shm_fd());
    const bool surely_held = before % 2 == 1 && before == truth_->transaction;
    ASSERT_TRUE(state.is_ok());
    if (surely_held) {
      ++held;
      named += state->holder == writer ? 1 : 0;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  truth_->end = true;
  EXPECT_TRUE(children_.all_ended_well());
  ASSERT_GT(held, 100);
  EXPECT_GE(named, 0.95 * held);
  std::printf("%s: named in %d of %d samples\n", GetParam(), named, held);
}

TEST_P(HarmlessTest, WriterThatWaitsForNobodyMeetsNobody) {
  make_database(database_);
  children_.add([this] { write_impatiently(); });
  run_.start({.database = database_, .inspect = true});
  run_.collect_for(4'000'000'000);
  truth_->end = true;
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();
  EXPECT_GT(truth_->commits, 100);
  EXPECT_EQ(truth_->busy, 0);
  EXPECT_EQ(truth_->errors, 0);
  EXPECT_EQ(
      run_.last("sqlite_commits_total") - run_.host.samples["sqlite_commits_total"].front().value,
      run_.last("sqlite_commits_total"));
  EXPECT_TRUE(is_sound(database_, truth_->commits));
}

TEST_P(HarmlessTest, LockThatIsHeldStaysHeld) {
  make_database(database_);
  children_.add([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 1000);
    db.exec("BEGIN IMMEDIATE");
    db.exec("INSERT INTO t VALUES (1)");
    truth_->ready = true;
    while (!truth_->end) std::this_thread::sleep_for(milliseconds(5));
    db.exec("COMMIT");
  });
  while (!truth_->ready) std::this_thread::sleep_for(milliseconds(1));
  children_.add([this] { write_impatiently(); });
  run_.start({.database = database_, .inspect = true});
  run_.collect_for(2'000'000'000);
  EXPECT_EQ(truth_->commits, 0) << "the second writer got in: the first one's lock was lost";
  EXPECT_GT(truth_->busy, 10);
  truth_->end = true;
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();
  EXPECT_TRUE(run_.has_event("sqlite-lock-held-long"));
}

// Each step is what an operator might do; the writer opens the database anew for each.
TEST_P(HarmlessTest, FilesThatAreReplacedRestoredMovedAndConvertedAreSurvived) {
  make_database(database_);
  run_.start({.database = database_});
  const auto write_some = [this](const std::string& path, int count) {
    const int status = wait_for(spawn([&] {
      SQLite::Database db(path, SQLite::OPEN_READWRITE, 5000);
      for (int i = 0; i < count; ++i) {
        db.exec("INSERT INTO t VALUES (randomblob(200))");
        ++truth_->commits;
      }
    }));
    EXPECT_EQ(status, 0);
  };
  const auto watch = [this] { run_.collect_for(300'000'000); };

  // While a process keeps writing to it.
  children_.add([this] { write_impatiently(); });
  run_.collect_while([this] { return truth_->commits < 50; });
  truth_->end = true;
  watch();
  EXPECT_TRUE(children_.all_ended_well());
  watch();

  // A copy takes its place by rename.
  fs::copy_file(database_, directory_ / "copy.db");
  fs::rename(directory_ / "copy.db", database_);
  watch();
  EXPECT_TRUE(run_.has_event("sqlite-database-replaced"));
  write_some(database_, 5);
  watch();

  // Moved away and back.
  fs::rename(database_, directory_ / "away.db");
  watch();
  EXPECT_TRUE(run_.has_event("sqlite-database-gone"));
  fs::rename(directory_ / "away.db", database_);
  watch();
  write_some(database_, 5);
  watch();

  // The other journal mode, and back.
  const std::string other = std::string(GetParam()) == "WAL" ? "DELETE" : "WAL";
  for (const std::string& mode : {other, std::string(GetParam())}) {
    EXPECT_EQ(wait_for(spawn([&] {
                SQLite::Database db(database_, SQLite::OPEN_READWRITE, 5000);
                db.exec("PRAGMA journal_mode=" + mode);
                for (int i = 0; i < 5; ++i) db.exec("INSERT INTO t VALUES (1)");
              })),
              0);
    watch();
  }
  EXPECT_TRUE(run_.has_event("sqlite-journal-mode-changed"));

  // Overwritten by a backup, as cp does it.
  fs::copy_file(database_, directory_ / "backup.db");
  write_some(database_, 5);
  watch();
  fs::copy_file(directory_ / "backup.db", database_, fs::copy_options::overwrite_existing);
  watch();

  // Deleted, and made anew.
  fs::remove(database_);
  watch();
  make_database(database_);
  write_some(database_, 5);
  run_.collect_for(1'200'000'000);
  run_.stop();

  for (const auto& [name, samples] : run_.host.samples) {
    if (name.find("_total") == std::string::npos) continue;
    double before = 0;
    for (const SeenSample& sample : samples) {
      EXPECT_GE(sample.value, before) << name;
      before = sample.value;
    }
  }
  EXPECT_GE(run_.last("sqlite_commits_total"), 50);
  EXPECT_EQ(truth_->busy, 0);
  EXPECT_EQ(truth_->errors, 0);
  EXPECT_TRUE(is_sound(database_, 5));
}

INSTANTIATE_TEST_SUITE_P(Journals, HarmlessTest, testing::Values("WAL", "DELETE"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace plumb::sqlite_stats
