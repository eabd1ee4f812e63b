// How many files stay open and how often they are read, with small files of the test's own.
#include "plugins/stack_profile/symbolizer.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "plugins/proc/fake_proc.h"

namespace plumb::stack_profile {
namespace {

// The smallest file that holds code.
std::string small_elf() {
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_DYN;
  head.e_machine = EM_X86_64;
  head.e_version = EV_CURRENT;
  head.e_phoff = sizeof(head);
  head.e_ehsize = sizeof(head);
  head.e_phentsize = sizeof(Elf64_Phdr);
  head.e_phnum = 1;
  Elf64_Phdr code{};
  code.p_type = PT_LOAD;
  code.p_flags = PF_R | PF_X;
  code.p_filesz = code.p_memsz = 4096;
  code.p_align = 4096;
  std::string out(4096, '\0');
  std::memcpy(out.data(), &head, sizeof(head));
  std::memcpy(out.data() + sizeof(head), &code, sizeof(code));
  return out;
}

class SymbolizerTest : public ::testing::Test {
 protected:
  SymbolizerTest() : process(proc.root(), 50, 1) {
    base = proc.root().proc.substr(0, proc.root().proc.rfind('/'));
    proc.write("proc/50/status", "Pid:\t50\nUid:\t0\t0\t0\t0\n");
    std::filesystem::create_symlink(base + "/root", base + "/proc/50/root");
    for (int i = 0; i < 8; ++i) {
      const std::string path = "/lib" + std::to_string(i) + ".so";
      proc.write("root" + path, small_elf());
      struct stat what {};
      EXPECT_EQ(::stat((base + "/root" + path).c_str(), &what), 0);
      const uint64_t start = 0x10000 * static_cast<uint64_t>(i + 1);
      libraries.push_back({start, start + 0x1000, 0, what.st_ino, path, true});
    }
    proc::Buffer buffer;
    EXPECT_TRUE(process.load(buffer));
  }
  void use(Symbolizer& symbolizer, size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) EXPECT_NE(symbolizer.image(process, libraries[i]), nullptr);
  }
  proc::FakeProc proc;
  std::string base;
  TracedProcess process;
  std::vector<Mapping> libraries;
};

TEST_F(SymbolizerTest, FilesInUseAreReadOnceAlthoughTheyAreMoreThanTheLimit) {
  Symbolizer symbolizer({.images = 5});
  for (int interval = 0; interval < 10; ++interval) {
    use(symbolizer, 0, 8);
    symbolizer.end_interval({});
  }
  EXPECT_EQ(symbolizer.images_read(), 8u);
}

TEST_F(SymbolizerTest, OfMoreFilesThanTheLimitThoseLongestUnusedGo) {
  Symbolizer symbolizer({.images = 5});
  use(symbolizer, 0, 8);
  for (int interval = 0; interval < 5; ++interval) {
    use(symbolizer, 3, 8);
    symbolizer.end_interval({});
  }
  EXPECT_EQ(symbolizer.images(), 5u);
  use(symbolizer, 3, 8);
  EXPECT_EQ(symbolizer.images_read(), 8u) << "the others were forgotten";
  use(symbolizer, 0, 1);
  EXPECT_EQ(symbolizer.images_read(), 9u);
}

TEST_F(SymbolizerTest, WhatAnUnwinderPointsAtStays) {
  Symbolizer symbolizer({.images = 1});
  const ElfImage* held = symbolizer.image(process, libraries[0]);
  use(symbolizer, 1, 2);
  for (int interval = 0; interval < 5; ++interval) symbolizer.end_interval({held});
  EXPECT_EQ(symbolizer.images(), 1u);
  EXPECT_EQ(symbolizer.image(process, libraries[0]), held);
}

TEST_F(SymbolizerTest, BeyondTwiceTheMemoryFilesInUseGoToo) {
  Symbolizer symbolizer({.images = 100, .bytes = 1});
  use(symbolizer, 0, 8);
  symbolizer.end_interval({});
  EXPECT_EQ(symbolizer.images(), 0u);
}

TEST_F(SymbolizerTest, MoreThanTwiceTheFilesAreNotReadAtOnceAndThatIsCounted) {
  Symbolizer symbolizer({.images = 3});
  use(symbolizer, 0, 6);
  EXPECT_EQ(symbolizer.image(process, libraries[6]), nullptr);
  EXPECT_EQ(symbolizer.without_room(), 1u);
  for (int interval = 0; interval < 3; ++interval) symbolizer.end_interval({});
  use(symbolizer, 6, 7);
}

TEST_F(SymbolizerTest, ARefusalHoldsForItsProcessAndNoOther) {
  Symbolizer symbolizer;
  Mapping lost = libraries[0];
  TracedProcess other(proc.root(), 51, 2);  // nothing is known of it
  EXPECT_EQ(symbolizer.image(other, lost), nullptr);
  EXPECT_EQ(symbolizer.unreadable().size(), 1u);
  EXPECT_NE(symbolizer.image(process, lost), nullptr);
  EXPECT_NE(symbolizer.image(other, lost), nullptr) << "it is open now";
  EXPECT_TRUE(symbolizer.unreadable().empty());
}

}  // namespace
}  // namespace plumb::stack_profile
