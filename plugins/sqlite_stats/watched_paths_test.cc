#include "watched_paths.h"

#include <gmock/gmock.h>

#include "fake_files.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class WatchedPathsTest : public testing::Test {
 protected:
  std::string make(const std::string& name) {
    write_file(directory_ / name, database_bytes(true, 1));
    return directory_ / name;
  }
  static std::vector<std::string> found(const std::string& text) {
    auto paths = WatchedPaths::parse(text);
    EXPECT_TRUE(paths.is_ok()) << paths.status().message();
    return paths.is_ok() ? paths->find() : std::vector<std::string>{};
  }
  static std::string refusal(const std::string& text) {
    const auto paths = WatchedPaths::parse(text);
    EXPECT_FALSE(paths.is_ok());
    EXPECT_EQ(paths.status().code(), PLUMB_INVALID_ARGUMENT);
    return paths.status().message();
  }
  TemporaryDirectory directory_;
};

TEST_F(WatchedPathsTest, OnePathIsThatPathWhetherItExistsOrNot) {
  EXPECT_THAT(found("no/such/shop.db"), ElementsAre("no/such/shop.db"));
}

TEST_F(WatchedPathsTest, CommasSeparateSeveral) {
  EXPECT_THAT(found("a.db, b.db ,c.db"), ElementsAre("a.db", "b.db", "c.db"));
}

TEST_F(WatchedPathsTest, FileWhoseNameHasACommaOrAStarIsItself) {
  const std::string odd = make("a,b*.db");
  EXPECT_THAT(found(odd), ElementsAre(odd));
}

TEST_F(WatchedPathsTest, PatternFindsDatabasesAndNothingElse) {
  const std::string a = make("a.db");
  write_file(a + "-wal", "");
  write_file(a + "-shm", std::string(200, 'x'));
  write_file(directory_ / "notes.db", "no database");
  std::filesystem::create_directories(directory_ / "dir.db");
  EXPECT_THAT(found(directory_ / "*"), ElementsAre(a));
}

TEST_F(WatchedPathsTest, DatabasesThatAppearLaterAreFoundAndThoseSeenStay) {
  const std::string b = make("b.db");
  auto paths = WatchedPaths::parse("fixed.db, " + directory_ / "*.db");
  ASSERT_TRUE(paths.is_ok());
  EXPECT_THAT(paths->find(), ElementsAre("fixed.db", b));
  const std::string a = make("a.db");
  std::filesystem::remove(b);
  EXPECT_THAT(paths->find(), ElementsAre("fixed.db", b, a));
}

TEST_F(WatchedPathsTest, MoreMatchesThanTheMostAreCountedAndLeftOut) {
  for (int i = 0; i < 20; ++i) make("d" + std::to_string(i) + ".db");
  auto paths = WatchedPaths::parse(directory_ / "*.db");
  ASSERT_TRUE(paths.is_ok());
  EXPECT_THAT(paths->find(), SizeIs(WatchedPaths::kMostDatabases));
  EXPECT_EQ(paths->left_out(), 4u);
}

TEST_F(WatchedPathsTest, NonsenseIsRefusedWithASentence) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("  "), HasSubstr("is empty"));
  EXPECT_THAT(refusal("a.db,,b.db"), HasSubstr("missing beside a comma"));
  EXPECT_THAT(refusal("a.db,"), HasSubstr("missing beside a comma"));
  EXPECT_THAT(refusal("a.db, a.db"), HasSubstr("twice"));
  std::string many = "0.db";
  for (int i = 1; i <= 16; ++i) many += "," + std::to_string(i) + ".db";
  EXPECT_THAT(refusal(many), HasSubstr("17 databases, and at most 16"));
}

}  // namespace
}  // namespace plumb::sqlite_stats
