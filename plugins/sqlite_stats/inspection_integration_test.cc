// plumb-sqlite-inspect on real databases, by itself and started by the plugin.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <thread>

#include "child.h"
#include "fake_files.h"
#include "inspector.h"
#include "plugin_run.h"

namespace plumb::sqlite_stats {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Truth {
  std::atomic<bool> ready{false};
  std::atomic<bool> end{false};
  std::atomic<int> commits{0};
  std::atomic<int> errors{0};
};

void make_shop(SQLite::Database& db) {
  db.exec("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT)");
  db.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INT, day INT, total INT)");
  db.exec("CREATE INDEX by_day ON orders (day)");
  db.exec("CREATE INDEX by_day_and_total ON orders (day, total)");
  db.exec("CREATE TABLE tags (tag TEXT PRIMARY KEY) WITHOUT ROWID");
  db.exec("BEGIN");
  db.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
      " INSERT INTO orders SELECT i, i % 500, i % 365, i FROM n");
  db.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
      " INSERT INTO customers SELECT i, 'name ' || i, 'city' FROM n");
  db.exec("COMMIT");
}

class InspectionTest : public testing::Test {
 protected:
  void make_database(const std::string& journal) {
    ASSERT_EQ(wait_for(spawn([&] {
                SQLite::Database db(database_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
                db.exec("PRAGMA journal_mode=" + journal);
                make_shop(db);
              })),
              0);
  }
  // A process that keeps a connection open, having run `sql`, until the end.
  void keep_open(const std::string& sql) {
    children_.add([this, sql] {
      SQLite::Database db(database_, SQLite::OPEN_READWRITE, 1000);
      db.exec(sql);
      truth_->ready = true;
      while (!truth_->end) std::this_thread::sleep_for(milliseconds(2));
    });
    while (!truth_->ready) std::this_thread::sleep_for(milliseconds(1));
  }
  Inspection inspect(const std::string& statements = {}) {
    Inspector inspector(PLUMB_SQLITE_INSPECT, statements);
    EXPECT_TRUE(inspector.start(database_, monotonic_ns(), 3'000'000'000).is_ok());
    while (true) {
      if (auto found = inspector.poll(monotonic_ns())) {
        EXPECT_TRUE(found->is_ok()) << found->status().message();
        return found->is_ok() ? std::move(*found).value() : Inspection{};
      }
      inspector.wait(1'000'000'000);
    }
  }
  std::string statements(const std::string& text) {
    write_file(directory_ / "queries.sql", text);
    return directory_ / "queries.sql";
  }
  // What is in the directory, byte for byte, but for the -shm file, in which readers of the
  // application leave their marks.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(directory_.string())) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(file), {}};
      out[entry.path().filename()] = std::move(bytes);
    }
    return out;
  }
  static const InspectedTable& table(const Inspection& found, const std::string& name) {
    static const InspectedTable none;
    for (const InspectedTable& t : found.tables) {
      if (t.name == name) return t;
    }
    ADD_FAILURE() << "no table " << name << " (" << found.refused << ")";
    return none;
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  Shared<Truth> truth_;
  Children children_;
};

TEST_F(InspectionTest, TablesSizesAndIndexesOfALiveWalDatabaseAreTold) {
  make_database("WAL");
  keep_open("INSERT INTO tags VALUES ('x')");
  const auto before = contents();
  const Inspection found = inspect();
  EXPECT_EQ(found.refused, "");
  EXPECT_EQ(table(found, "orders").rows, 5000u);
  EXPECT_GT(table(found, "orders").bytes.value_or(0), 50'000u);
  EXPECT_FALSE(table(found, "tags").rows) << "nothing estimates that";
  ASSERT_EQ(table(found, "orders").indexes.size(), 2u);
  EXPECT_THAT(table(found, "orders").indexes[0].notes,
              Contains(HasSubstr("begin index by_day_and_total")));
  EXPECT_EQ(contents(), before) << "a byte was written";
  truth_->end = true;
  EXPECT_TRUE(children_.all_ended_well());
}

TEST_F(InspectionTest, ClosedDatabasesAreReadWithoutAFileBeingMade) {
  for (const char* journal : {"WAL", "DELETE", "TRUNCATE", "PERSIST"}) {
    fs::remove(database_);
    fs::remove(database_ + "-journal");
    make_database(journal);
    const auto before = contents();
    struct stat s_before {};
    ASSERT_EQ(::stat(database_.c_str(), &s_before), 0);
    const Inspection found = inspect();
    EXPECT_EQ(found.refused, "") << journal;
    EXPECT_EQ(table(found, "orders").rows, 5000u);
    EXPECT_EQ(contents(), before) << journal;
    struct stat s_after {};
    ASSERT_EQ(::stat(database_.c_str(), &s_after), 0);
    EXPECT_EQ(s_before.st_mtim.tv_nsec, s_after.st_mtim.tv_nsec);
  }
}

TEST_F(InspectionTest, FullScansAndMissingIndexesAreNamedWithoutLiterals) {
  make_database("WAL");
  const Inspection found =
      inspect(statements("-- all of Ann's orders: secret-comment\n"
                         "SELECT * FROM orders WHERE customer_id = 4711 AND total > 1000;\n"
                         "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id"
                         " WHERE c.name = 'secret-name';\n"
                         "SELECT * FROM orders WHERE day = 7;\n"
                         "UPDATE orders SET total = 0 WHERE id = 5;\n"
                         "PRAGMA journal_mode=DELETE;\n"
                         "DROP TABLE orders;\n"
                         "SELECT nothing FROM \"secret-table\" WHERE x = 'unclosed"));
  ASSERT_EQ(found.statements.size(), 7u) << found.refused;
  EXPECT_EQ(found.statements[0].text, "SELECT * FROM orders WHERE customer_id = ? AND total > ?");
  EXPECT_THAT(found.statements[0].plan, Contains("SCAN orders"));
  ASSERT_EQ(found.statements[0].findings.size(), 1u);
  EXPECT_THAT(found.statements[0].findings[0],
              HasSubstr("SCAN of orders: reads about 5000 rows; filter on columns customer_id, "
                        "total: an index on orders(customer_id, total) may serve it"));
  EXPECT_THAT(found.statements[1].findings, Contains(HasSubstr("orders(customer_id)")));
  EXPECT_THAT(found.statements[2].findings, IsEmpty()) << "an index serves it";
  EXPECT_THAT(found.statements[3].findings, IsEmpty()) << "the primary key serves it";
  EXPECT_THAT(found.statements[4].findings, Contains(HasSubstr("only SELECT, INSERT")));
  EXPECT_THAT(found.statements[5].findings, Contains(HasSubstr("only SELECT, INSERT")));
  EXPECT_THAT(found.statements[6].findings, Contains(HasSubstr("not explained")));
  for (const InspectedStatement& statement : found.statements) {
    nlohmann::json row = nlohmann::json::array();
    found.add_plan_rows("shop.db", row);
    EXPECT_THAT(row.dump(), Not(HasSubstr("secret")));
    EXPECT_THAT(row.dump(), Not(HasSubstr("4711")));
    EXPECT_THAT(statement.text, Not(HasSubstr("unclosed")));
  }
  EXPECT_EQ(inspect().refused, "") << "no statement was run";
  EXPECT_EQ(table(inspect(), "orders").rows, 5000u);
}

TEST_F(InspectionTest, IndexThatNoneUsesIsSaidToBeUnusedOfTheStatementsExplainedOnly) {
  make_database("WAL");
  const auto notes = [this](const std::string& text) {
    const Inspection found = inspect(statements(text));
    for (const InspectedIndex& index : table(found, "orders").indexes) {
      if (index.name == "by_day_and_total") return index.notes;
    }
    return std::vector<std::string>{"no such index"};
  };
  const std::string scan = "SELECT * FROM customers;\n";
  EXPECT_THAT(notes(scan + scan), Contains("used by none of the 2 statements explained"));
  EXPECT_THAT(notes(scan + "SELECT * FROM nowhere;\n"),
              Contains("used by none of the 1 statements explained; 1 could not be"));
  EXPECT_THAT(notes("SELECT * FROM nowhere;\n"), Not(Contains(HasSubstr("used by none"))));
  std::string many;
  for (int i = 0; i < 201; ++i) many += scan;
  EXPECT_THAT(notes(many), Contains("used by none of the 200 statements explained; those after "
                                    "the first 200 were not"));
  // A plan longer than what is shown of it.
  std::string wide = "SELECT 1";
  for (int i = 0; i < 45; ++i) wide += " UNION ALL SELECT id FROM customers";
  wide += " UNION ALL SELECT id FROM orders INDEXED BY by_day_and_total WHERE day = 1";
  EXPECT_THAT(notes(wide + ";\n"), Not(Contains(HasSubstr("used by none"))));
}

TEST_F(InspectionTest, FilesThatCannotBeReadAreRefusedWithAReason) {
  EXPECT_THAT(inspect().refused, HasSubstr("cannot read"));
  write_file(database_, "");
  EXPECT_THAT(inspect().refused, HasSubstr("empty"));
  write_file(database_, std::string(8192, '\x5a'));
  EXPECT_THAT(inspect().refused, HasSubstr("no SQLite database, or is encrypted"));
  fs::remove(database_);
  make_database("DELETE");
  std::fstream damaged(database_, std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(100);
  damaged << std::string(3000, '\xff');
  damaged.close();
  EXPECT_THAT(inspect().refused, HasSubstr("damaged"));
  fs::remove(database_);
  fs::create_directories(database_);
  EXPECT_THAT(inspect().refused, HasSubstr("is no file"));
}

TEST_F(InspectionTest, LockedDatabasesAreLeftAlone) {
  make_database("DELETE");
  keep_open("BEGIN EXCLUSIVE");
  EXPECT_THAT(inspect().refused, HasSubstr("is writing to it"));
  truth_->end = true;
  children_.all_ended_well();
}

TEST_F(InspectionTest, ExclusiveWalAndWalWithoutIndexAreLeftAlone) {
  make_database("WAL");
  keep_open("PRAGMA locking_mode=EXCLUSIVE; INSERT INTO tags VALUES ('x')");
  EXPECT_THAT(inspect().refused, HasSubstr("locking_mode=EXCLUSIVE"));
  truth_->end = true;
  children_.all_ended_well();
  write_file(database_ + "-wal", "left behind");
  const auto before = contents();
  EXPECT_THAT(inspect().refused, HasSubstr("recovery by its application"));
  EXPECT_EQ(contents(), before);
}

TEST_F(InspectionTest, CrashedWalDatabaseIsNotRecoveredByUs) {
  make_database("WAL");
  // Killed with its WAL and index left behind.
  const pid_t killed = spawn([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 1000);
    db.exec("INSERT INTO tags VALUES ('y')");
    ::kill(::getpid(), SIGKILL);
  });
  wait_for(killed);
  const auto before = contents();
  ASSERT_TRUE(before.contains("shop.db-wal"));
  const Inspection found = inspect();
  EXPECT_EQ(contents(), before) << "a byte was written";
  if (found.refused.empty()) {
    EXPECT_EQ(table(found, "orders").rows, 5000u);
  }
}

TEST_F(InspectionTest, HotJournalIsNotRolledBackByUs) {
  make_database("DELETE");
  const pid_t killed = spawn([this] {
    SQLite::Database db(database_, SQLite::OPEN_READWRITE, 1000);
    db.exec("PRAGMA cache_size=2");
    db.exec("BEGIN; UPDATE orders SET total = total + 1");  // spills into the file
    ::kill(::getpid(), SIGKILL);
  });
  wait_for(killed);
  const auto before = contents();
  ASSERT_TRUE(before.contains("shop.db-journal"));
  EXPECT_THAT(inspect().refused, HasSubstr("only its application may do"));
  EXPECT_EQ(contents(), before);
}

TEST_F(InspectionTest, WritersOfAnyKindGoOnWhileInspected) {
  for (const char* journal : {"WAL", "DELETE"}) {
    fs::remove(database_);
    make_database(journal);
    truth_->end = false;
    truth_->commits = 0;
    children_.add([this] {
      SQLite::Database db(database_, SQLite::OPEN_READWRITE, 200);
      while (!truth_->end) {
        try {
          db.exec("INSERT INTO orders(customer_id, day) VALUES (1, 2)");
          ++truth_->commits;
        } catch (const SQLite::Exception&) {
          ++truth_->errors;
        }
      }
    });
    // For as long as a machine under load needs for some commits.
    constexpr int kLeastRounds = 20;
    constexpr int64_t kMostNs = 15'000'000'000;
    const int64_t begun_ns = monotonic_ns();
    // While the application is opening it, a database is left alone.
    while (truth_->commits == 0 && monotonic_ns() - begun_ns < kMostNs) std::this_thread::yield();
    int rounds = 0;
    int read = 0;
    while (rounds < kLeastRounds ||
           (truth_->commits <= kLeastRounds && monotonic_ns() - begun_ns < kMostNs)) {
      ++rounds;
      read += inspect().refused.empty() ? 1 : 0;
    }
    truth_->end = true;
    EXPECT_TRUE(children_.all_ended_well());
    EXPECT_EQ(truth_->errors, 0) << journal;
    EXPECT_GT(truth_->commits, kLeastRounds) << journal;
    if (std::string(journal) == "WAL") {
      EXPECT_EQ(read, rounds);
    }
  }
}

TEST_F(InspectionTest, PluginEmitsTablesAndPlansAtTheBeginningAndTheEnd) {
  make_database("WAL");
  keep_open("INSERT INTO tags VALUES ('x')");
  PluginRun run;
  run.start({.database = database_,
             .statements = statements("SELECT * FROM orders WHERE customer_id = 5;"),
             .inspect = true});
  run.collect_for(6'000'000'000);
  ASSERT_FALSE(run.rows("sqlite_tables").empty()) << run.host.health_message;
  EXPECT_EQ(run.rows("sqlite_tables").at(0).at(1), "orders") << "the largest comes first";
  run.host.tables.clear();
  run.stop();
  EXPECT_FALSE(run.rows("sqlite_tables").empty());
  ASSERT_EQ(run.rows("sqlite_plans").size(), 1u);
  EXPECT_THAT(run.rows("sqlite_plans").at(0).at(4).get<std::string>(),
              HasSubstr("orders(customer_id)"));
  EXPECT_EQ(run.host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << run.host.health_message;
  truth_->end = true;
  EXPECT_TRUE(children_.all_ended_well());
}

TEST_F(InspectionTest, AnIndexWithoutAWalIsNotTakenForAnApplicationThatOpensIt) {
  make_database("WAL");
  write_file(database_ + "-shm", std::string(32768, 'x'));
  EXPECT_THAT(inspect().refused, HasSubstr("a -shm file and no WAL"));
}

TEST_F(InspectionTest, PluginGoesOnWithAReasonWhereNothingCanBeInspected) {
  write_file(database_, database_bytes(false, 1) + std::string(4000, '\xff'));
  PluginRun run;
  run.start({.database = database_, .inspect = true});
  run.collect_for(1'500'000'000);
  run.stop();
  EXPECT_TRUE(run.has_event("sqlite-inspection-refused"));
  EXPECT_THAT(run.rows("sqlite_databases").at(0).back().get<std::string>(),
              HasSubstr("not inspected"));
}

}  // namespace
}  // namespace plumb::sqlite_stats
