// Which file is taken for the mapped one where inode numbers do not tell: on an overlay, as
// containers have it. And what is told of a perf map that is not read, or not as a whole.
#include "plugins/stack_profile/traced_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "plugins/proc/fake_proc.h"

namespace plumb::stack_profile {
namespace {

class OverlayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base_ = proc.root().proc.substr(0, proc.root().proc.rfind('/'));
    for (const char* name : {"lower", "upper", "work", "root"}) {
      std::filesystem::create_directories(base_ + "/layers/" + name);
    }
    proc.write("layers/lower/lib.so", "old");
    proc.write("proc/50/status", "Pid:\t50\nUid:\t0\t0\t0\t0\n");
    std::filesystem::create_symlink(base_ + "/layers/root", base_ + "/proc/50/root");
  }
  // Whether the file of that mapping is opened on an overlay; nothing where none can be mounted. In
  // a thread of its own: the overlay ends with that thread's mounts, and this process's mappings
  // keep the paths by which the other tests know them.
  std::optional<bool> opens(const std::string& maps) {
    proc.write("proc/50/maps", maps);
    std::optional<bool> out;
    std::thread([&] {
      if (!mount_overlay()) return;
      proc::Buffer buffer;
      TracedProcess process(proc.root(), 50, 1);
      EXPECT_TRUE(process.load(buffer));
      EXPECT_EQ(process.space().all().size(), 1u);
      out = process.open_file(process.space().all().front()).is_open();
    }).join();
    return out;
  }
  proc::FakeProc proc;

 private:
  bool mount_overlay() const {
    const std::string layers = base_ + "/layers";
    const std::string options =
        "lowerdir=" + layers + "/lower,upperdir=" + layers + "/upper,workdir=" + layers + "/work";
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("overlay", (layers + "/root").c_str(), "overlay", 0, options.c_str()) == 0;
  }
  std::string base_;
};

TEST_F(OverlayTest, AFileWithAnotherInodeNumberIsTheMappedOneWhileTheMappingSaysSo) {
  const auto opened = opens("1000-9000 r-xp 00000000 00:30 123456789 /lib.so\n");
  if (!opened) GTEST_SKIP() << "an overlay cannot be mounted here";
  EXPECT_TRUE(*opened);
}

TEST_F(OverlayTest, AFileThatReplacedTheMappedOneIsNotTakenForIt) {
  const auto opened = opens("1000-9000 r-xp 00000000 00:30 123456789 /lib.so (deleted)\n");
  if (!opened) GTEST_SKIP() << "an overlay cannot be mounted here";
  EXPECT_FALSE(*opened);
}

class PerfMapFileTest : public ::testing::Test {
 protected:
  PerfMapFileTest() : process(proc.root(), 50, 1) {
    const std::string base = proc.root().proc.substr(0, proc.root().proc.rfind('/'));
    proc.write("proc/50/status",
               "Pid:\t50\nUid:\t0\t" + std::to_string(::getuid()) + "\t0\t0\nNSpid:\t50\n");
    std::filesystem::create_directories(base + "/container/tmp");
    std::filesystem::create_symlink(base + "/container", base + "/proc/50/root");
    path = base + "/container/tmp/perf-50.map";
    proc::Buffer buffer;
    EXPECT_TRUE(process.load(buffer));
  }
  void write(const std::string& text) { proc.write("container/tmp/perf-50.map", text); }
  proc::FakeProc proc;
  TracedProcess process;
  std::string path;
};

TEST_F(PerfMapFileTest, APipeIsToldForWhatItIs) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(process.read_perf_map(), testing::HasSubstr("is no regular file"));
}

TEST_F(PerfMapFileTest, OneThatIsReadAsAWholeIsNoNews) {
  write("1000 10 one\n2000 10 two\n");
  EXPECT_EQ(process.read_perf_map(), "");
  EXPECT_EQ(process.perf_map().size(), 2u);
}

TEST_F(PerfMapFileTest, MoreRangesThanAreKeptAreTold) {
  std::string text;
  for (size_t i = 0; i < PerfMap::kMostRanges + 10; ++i) {
    char line[48];
    std::snprintf(line, sizeof(line), "%zx 8 f\n", (i + 1) * 16);
    text += line;
  }
  write(text);
  for (int second = 0; second < 2; ++second) {
    EXPECT_THAT(process.read_perf_map(), testing::HasSubstr("more than 200000 ranges")) << second;
  }
}

TEST_F(PerfMapFileTest, LinesTooLongToBeReadAreTold) {
  write("1000 10 " + std::string(100'000, 'n') + "\n2000 10 two\n");
  EXPECT_THAT(process.read_perf_map(), testing::HasSubstr("too long to name code (1 so far)"));
  EXPECT_EQ(process.perf_map().find(0x2000), "two");
}

TEST_F(PerfMapFileTest, AFileTooLargeToBeReadToItsEndIsTold) {
  write("1000 10 one\n");
  ASSERT_EQ(::truncate(path.c_str(), off_t{300} << 30), 0);
  EXPECT_THAT(process.read_perf_map(), testing::HasSubstr("307200 MiB"));
}

}  // namespace
}  // namespace plumb::stack_profile
