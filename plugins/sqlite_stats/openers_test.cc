#include "openers.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "durations.h"
#include "fake_files.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OpenersTest : public testing::Test {
 protected:
  OpenersTest() {
    for (const char* name : {"a.db", "b.db"}) write_file(directory_ / name, "");
  }
  void open(int pid, const std::string& name) {
    const std::string fds = directory_ / ("proc/" + std::to_string(pid) + "/fd");
    std::filesystem::create_directories(fds);
    std::filesystem::create_symlink(directory_ / name, fds + "/3");
  }
  struct stat file(const std::string& name) const {
    struct stat out {};
    EXPECT_EQ(::stat((directory_ / name).c_str(), &out), 0);
    return out;
  }
  std::vector<proc::Pid> find(const std::string& name) {
    const struct stat s = file(name);
    return walk_.find(now_ns_, s.st_dev, s.st_ino);
  }
  void want(const std::string& name) {
    const struct stat s = file(name);
    walk_.want(now_ns_, s.st_dev, s.st_ino);
  }

  TemporaryDirectory directory_;
  int64_t now_ns_ = 100 * kSecond;
  OpenerWalk walk_{proc::Root{directory_ / "proc", ""}, [this] { return now_ns_; }};
};

TEST_F(OpenersTest, OneWalkFindsWhoHasAnyOfTheWantedFilesOpen) {
  open(41, "a.db");
  open(42, "b.db");
  want("a.db");
  want("b.db");
  EXPECT_THAT(find("a.db"), ElementsAre(41));
  EXPECT_THAT(find("b.db"), ElementsAre(42)) << "without waiting for the next walk";
}

TEST_F(OpenersTest, ProcessesThatComeAndGoAreNoticedWithinASecond) {
  open(1, "b.db");  // some process is always there
  open(41, "a.db");
  EXPECT_THAT(find("a.db"), ElementsAre(41));
  open(42, "a.db");
  std::filesystem::remove_all(directory_ / "proc/41");
  now_ns_ += kSecond;
  EXPECT_THAT(find("a.db"), ElementsAre(42));
}

TEST_F(OpenersTest, FileThatNobodyWantsIsLookedForNoMore) {
  open(41, "a.db");
  want("b.db");
  EXPECT_THAT(find("a.db"), ElementsAre(41));
  now_ns_ += 11 * kSecond;
  open(42, "b.db");
  find("a.db");
  EXPECT_THAT(find("b.db"), IsEmpty()) << "it is new again";
  now_ns_ += kSecond;
  EXPECT_THAT(find("b.db"), ElementsAre(42));
}

}  // namespace
}  // namespace plumb::sqlite_stats
