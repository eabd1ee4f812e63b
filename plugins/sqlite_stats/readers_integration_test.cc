// A real reader that keeps a real WAL from being checkpointed.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "child.h"
#include "fake_files.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

using std::chrono::milliseconds;

struct Truth {
  std::atomic<bool> read_begun{false};
  std::atomic<bool> end_read{false};
  std::atomic<bool> read_ended{false};
  std::atomic<bool> end_all{false};
  std::atomic<int> commits{0};
  std::atomic<int> frames_at_read{0};
  std::atomic<int> wal_frames{0};
  std::atomic<int> errors{0};
};

// Result of a passive checkpoint: frames in the WAL.
int frames_in_wal(SQLite::Database& db) {
  SQLite::Statement query(db, "PRAGMA wal_checkpoint(PASSIVE)");
  return query.executeStep() ? query.getColumn(1).getInt() : -1;
}

class ReadersTest : public testing::Test {
 protected:
  // Writes and checkpoints until told to end.
  void write() {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5000);
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("PRAGMA wal_autocheckpoint=0");
    db.exec("CREATE TABLE IF NOT EXISTS t (x)");
    for (int i = 0; !truth_->end_all; ++i) {
      db.exec("INSERT INTO t VALUES (randomblob(3000))");
      ++truth_->commits;
      if (i % 50 == 0) truth_->wal_frames = frames_in_wal(db);
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  void read() {
    SQLite::Database db(database_, SQLite::OPEN_READONLY, 5000);
    db.exec("BEGIN");
    db.execAndGet("SELECT count(*) FROM t");
    truth_->read_begun = true;
    while (!truth_->end_read) std::this_thread::sleep_for(milliseconds(5));
    db.exec("COMMIT");
    truth_->read_ended = true;
    while (!truth_->end_all) std::this_thread::sleep_for(milliseconds(5));
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  Shared<Truth> truth_;
  Children children_;
  PluginRun run_;
};

TEST_F(ReadersTest, LongReaderThatPinsTheCheckpointIsNamedWithItsFrame) {
  run_.start({.database = database_});
  children_.add([this] { write(); });
  run_.collect_while([this] { return truth_->commits < 100; });
  const pid_t reader = children_.add([this] { read(); });
  run_.collect_while([this] { return !truth_->read_begun; });
  EXPECT_FALSE(run_.has_event("sqlite-checkpoint-pinned")) << "nobody has read for long";

  run_.collect_for(3'000'000'000);
  ASSERT_TRUE(run_.has_event("sqlite-checkpoint-pinned"));
  nlohmann::json told;
  for (const SeenEvent& event : run_.host.events) {
    if (event.kind == "sqlite-checkpoint-pinned") told = nlohmann::json::parse(event.attributes);
  }
  EXPECT_EQ(told.at("pid"), reader);
  // What the plugin says checkpoints stop at is where they do stop.
  const double debt = run_.last("sqlite_checkpoint_debt_pages");
  const double pinned = run_.last("sqlite_checkpoint_pinned_frames");
  EXPECT_GT(pinned, 200);
  // Both are read while the writer goes on; 50 commits are some 100 frames.
  EXPECT_NEAR(debt, pinned, 200) << "a checkpoint every 50 commits copies all that it may";
  // As of the last report, which may be a second old.
  EXPECT_NEAR(run_.last("sqlite_oldest_reader_seconds"), 2.5, 1.1);

  truth_->end_read = true;
  run_.collect_while([this] { return !truth_->read_ended; });
  run_.collect_for(1'500'000'000);
  EXPECT_EQ(run_.last("sqlite_checkpoint_pinned_frames"), 0);
  EXPECT_EQ(run_.last("sqlite_oldest_reader_seconds"), 0);
  EXPECT_LT(run_.last("sqlite_checkpoint_debt_pages"), debt);
  EXPECT_GT(run_.last("sqlite_checkpoints_total"), 2);
  truth_->end_all = true;
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();

  const auto rows = run_.rows("sqlite_readers");
  ASSERT_GE(rows.size(), 1u);
  EXPECT_EQ(rows.at(0).at(1), reader);
  EXPECT_EQ(rows.at(0).at(4), told.at("frame"));
  EXPECT_NEAR(rows.at(0).at(6).get<double>(), 3.0, 1.0);
  EXPECT_EQ(rows.at(0).at(7), "over");
}

TEST_F(ReadersTest, QuickReadersAreNeverBlamed) {
  run_.start({.database = database_});
  children_.add([this] { write(); });
  run_.collect_while([this] { return truth_->commits < 10; });
  for (int i = 0; i < 3; ++i) {
    children_.add([this] {
      SQLite::Database db(database_, SQLite::OPEN_READONLY, 5000);
      while (!truth_->end_all) db.execAndGet("SELECT count(*) FROM t");
    });
  }
  run_.collect_for(4'000'000'000);
  truth_->end_all = true;
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();
  EXPECT_FALSE(run_.has_event("sqlite-checkpoint-pinned"));
  EXPECT_TRUE(run_.rows("sqlite_readers").empty());
}

TEST_F(ReadersTest, CommitsFramesCheckpointsAndResetsMatchWhatTheWriterDid) {
  const int made = wait_for(spawn([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("CREATE TABLE t (x)");
  }));
  ASSERT_EQ(made, 0);
  run_.start({.database = database_});
  constexpr int kCommits = 40;
  children_.add([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 5000);
    db.exec("PRAGMA wal_autocheckpoint=0");
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < kCommits / 4; ++i) {
        db.exec("INSERT INTO t VALUES (randomblob(10))");
        ++truth_->commits;
        std::this_thread::sleep_for(milliseconds(15));
      }
      // All of it is copied back, so that the next commit begins the WAL again.
      frames_in_wal(db);
      std::this_thread::sleep_for(milliseconds(100));
    }
    truth_->read_ended = true;
    while (!truth_->end_all) std::this_thread::sleep_for(milliseconds(5));
  });
  run_.collect_while([this] { return !truth_->read_ended; });
  run_.collect_for(1'200'000'000);
  EXPECT_EQ(run_.last("sqlite_commits_total"), kCommits);
  EXPECT_EQ(run_.last("sqlite_checkpoints_total"), 4);
  EXPECT_EQ(run_.last("sqlite_wal_resets_total"), 3);
  EXPECT_GE(run_.last("sqlite_wal_frames_total"), kCommits);
  EXPECT_EQ(run_.last("sqlite_checkpointed_pages_total"), run_.last("sqlite_wal_frames_total"));
  truth_->end_all = true;
  EXPECT_TRUE(children_.all_ended_well());
  run_.stop();
}

}  // namespace
}  // namespace plumb::sqlite_stats
