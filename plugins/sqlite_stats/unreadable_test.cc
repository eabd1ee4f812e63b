// What may not be read is not known, which is not the same as nothing.
#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "fake_files.h"
#include "fake_host.h"
#include "sqlite_stats.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

// Root may read everything: for as long as this lives, this thread may not.
class AsNobody {
 public:
  AsNobody() {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0) ::setfsuid(kNobody);
  }
  ~AsNobody() { ::setfsuid(::geteuid()); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

void permit(const std::string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }

class UnreadableIndexTest : public testing::Test {
 protected:
  UnreadableIndexTest() {
    host_.clock_ns = 5'000'000'000;
    permit(directory_.string(), 0755);
    write_file(database_, database_bytes(true, 1));
    permit(database_, 0644);
    write_index(100);
    const plumb_value values[2] = {
        {sizeof(plumb_value), PLUMB_OPTION_PATH, "database", database_.c_str(), 0, 0},
        {sizeof(plumb_value), PLUMB_OPTION_BOOLEAN, "inspect", nullptr, 0, 0}};
    const plumb_config config{sizeof(plumb_config), 2, values, "{}"};
    EXPECT_TRUE(plugin_.configure(Config(&config)).is_ok());
  }
  void write_index(uint32_t changes) { write_file(index_, shm_bytes(changes, 900, 250)); }
  void run_for(int ticks) {
    const AsNobody nobody;
    if (!started_) {
      started_ = true;
      ASSERT_TRUE(plugin_.start().is_ok());
    }
    for (int i = 0; i < ticks; ++i) {
      *host_.clock_ns += 10'000'000;
      ASSERT_TRUE(plugin_.collect().is_ok());
    }
  }
  nlohmann::json database_row() {
    return nlohmann::json::parse(host_.tables.at("sqlite_databases")).at("rows").at(0);
  }

  TemporaryDirectory directory_;
  const std::string database_ = directory_ / "shop.db";
  const std::string index_ = database_ + "-shm";
  bool started_ = false;
  FakeHost host_;
  SqliteStats plugin_{Host(host_.get()), proc::Root{}, LockReading::kAsk};
};

TEST_F(UnreadableIndexTest, IsToldAsUnknownAndNotAsClosed) {
  permit(index_, 0);
  run_for(510);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_DEGRADED));
  EXPECT_THAT(host_.health_message, HasSubstr("cannot read " + index_ + ": Permission denied"));
  EXPECT_THAT(host_.health_message, HasSubstr("not known"));
  const std::string notes = database_row().back();
  EXPECT_THAT(notes, HasSubstr("Permission denied"));
  EXPECT_THAT(notes, Not(HasSubstr("nobody uses it")));
}

TEST_F(UnreadableIndexTest, HasNoZerosForWhatIsNotKnown) {
  permit(index_, 0);
  run_for(210);
  for (const char* unknown :
       {"sqlite_write_lock_ratio", "sqlite_lock_ratio/write", "sqlite_waiters",
        "sqlite_commits_total", "sqlite_wal_frames_total", "sqlite_checkpoints_total",
        "sqlite_checkpoint_debt_pages", "sqlite_oldest_reader_seconds"})
    EXPECT_THAT(host_.samples, Not(Contains(Key(unknown)))) << unknown;
  EXPECT_THAT(host_.samples, Contains(Key("sqlite_database_bytes"))) << "this is known";
}

TEST_F(UnreadableIndexTest, CountsFromWhereItBecomesReadable) {
  permit(index_, 0);
  run_for(110);
  write_index(500);
  permit(index_, 0644);
  run_for(110);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
  EXPECT_EQ(host_.samples.at("sqlite_commits_total").back().value, 0)
      << "what was committed before is not known";
  write_index(507);
  run_for(110);
  EXPECT_EQ(host_.samples.at("sqlite_commits_total").back().value, 7);
  EXPECT_EQ(host_.samples.at("sqlite_checkpoint_debt_pages").back().value, 650);
}

TEST_F(UnreadableIndexTest, IsNoMatterWithARollbackJournal) {
  write_file(database_, database_bytes(false, 1));
  permit(index_, 0);
  run_for(110);
  EXPECT_EQ(host_.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host_.health_message;
  EXPECT_THAT(host_.samples, Contains(Key("sqlite_write_lock_ratio")));
}

TEST_F(UnreadableIndexTest, ForeignFileHasNoZeroCommitsEither) {
  write_file(database_, std::string(4096, 'x'));
  run_for(110);
  EXPECT_THAT(host_.samples, Not(Contains(Key("sqlite_commits_total"))));
}

}  // namespace
}  // namespace plumb::sqlite_stats
