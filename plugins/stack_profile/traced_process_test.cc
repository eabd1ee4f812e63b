// Which file is taken for the mapped one where inode numbers do not tell: on an overlay, as
// containers have it.
#include "plugins/stack_profile/traced_process.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>

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
    // On a file system of its own, since an overlay may itself be no layer; seen by this thread
    // alone.
    const std::string layers = base_ + "/layers";
    const bool own = ::unshare(CLONE_NEWNS) == 0 &&
                     ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    const std::string options =
        "lowerdir=" + layers + "/lower,upperdir=" + layers + "/upper,workdir=" + layers + "/work";
    const std::string root = layers + "/root";
    if (!own || ::mount("overlay", root.c_str(), "overlay", 0, options.c_str()) != 0) {
      GTEST_SKIP() << "an overlay cannot be mounted here";
    }
    mounted_ = root;
    proc.write("proc/50/status", "Pid:\t50\nUid:\t0\t0\t0\t0\n");
    std::filesystem::create_symlink(root, base_ + "/proc/50/root");
  }
  void TearDown() override {
    if (!mounted_.empty()) ::umount2(mounted_.c_str(), MNT_DETACH);
  }
  bool opens(const std::string& maps) {
    proc.write("proc/50/maps", maps);
    proc::Buffer buffer;
    TracedProcess process(proc.root(), 50, 1);
    EXPECT_TRUE(process.load(buffer));
    EXPECT_EQ(process.space().all().size(), 1u);
    return process.open_file(process.space().all().front()).is_open();
  }
  proc::FakeProc proc;
  std::string base_;
  std::string mounted_;
};

TEST_F(OverlayTest, AFileWithAnotherInodeNumberIsTheMappedOneWhileTheMappingSaysSo) {
  EXPECT_TRUE(opens("1000-9000 r-xp 00000000 00:30 123456789 /lib.so\n"));
}

TEST_F(OverlayTest, AFileThatReplacedTheMappedOneIsNotTakenForIt) {
  EXPECT_FALSE(opens("1000-9000 r-xp 00000000 00:30 123456789 /lib.so (deleted)\n"));
}

}  // namespace
}  // namespace plumb::stack_profile
