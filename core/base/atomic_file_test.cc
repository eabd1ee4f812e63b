#include "core/base/atomic_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace plumb {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/plumb-atomic-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }
  static std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }
  fs::path dir_;
};

TEST_F(AtomicFileTest, ReplacesWhatWasThereAndLeavesNoOtherFile) {
  ASSERT_TRUE(write_file_atomically(dir_ / "a", "old"));
  ASSERT_TRUE(write_file_atomically(dir_ / "a", "new"));
  EXPECT_EQ(text_of(dir_ / "a"), "new");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, SaysWhichPathCouldNotBeWritten) {
  const Status status = write_file_atomically(dir_ / "missing" / "a", "x");
  EXPECT_EQ(status.code(), PLUMB_NOT_FOUND);
  EXPECT_NE(status.message().find("missing/a"), std::string::npos) << status.message();
}

TEST_F(AtomicFileTest, WritesThroughALinkAndLeavesItOne) {
  ASSERT_TRUE(write_file_atomically(dir_ / "a", "old"));
  fs::create_symlink(dir_ / "a", dir_ / "link");
  ASSERT_TRUE(write_file_atomically(dir_ / "link", "new"));
  EXPECT_TRUE(fs::is_symlink(dir_ / "link"));
  EXPECT_EQ(text_of(dir_ / "a"), "new");
  EXPECT_EQ(files(), 2u);
}

TEST_F(AtomicFileTest, WritesToADeviceInsteadOfReplacingIt) {
  // A link to the device, so that no mistake here can harm the device itself.
  fs::create_symlink("/dev/full", dir_ / "full");
  const Status status = write_file_atomically(dir_ / "full", "x");
  EXPECT_FALSE(status.is_ok());
  EXPECT_NE(status.message().find("No space left"), std::string::npos) << status.message();
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(AtomicFileTest, LeavesNothingBehindWhenTheTargetIsADirectory) {
  fs::create_directory(dir_ / "a");
  EXPECT_FALSE(write_file_atomically(dir_ / "a", "x"));
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace plumb
