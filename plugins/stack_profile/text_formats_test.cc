// What is read as text: mappings, perf map files, kernel symbols, /proc/PID/status, lists of
// processors.
#include <gtest/gtest.h>

#include <string>

#include "plugins/stack_profile/address_space.h"
#include "plugins/stack_profile/attachment.h"
#include "plugins/stack_profile/kernel_symbols.h"
#include "plugins/stack_profile/perf_map.h"
#include "plugins/stack_profile/traced_process.h"

namespace plumb::stack_profile {
namespace {

// Captured from a PIE with a deleted file and generated code.
constexpr const char* kMaps =
    "56287a527000-56287a528000 r--p 00000000 fe:00 333001                     /srv/app (deleted)\n"
    "56287a528000-56287a52a000 r-xp 00001000 fe:00 333001                     /srv/app (deleted)\n"
    "56287b000000-56287b021000 rw-p 00000000 00:00 0                          [heap]\n"
    "7f17bbc00000-7f17bbc26000 r--p 00000000 fe:00 332369                     "
    "/usr/lib/x86_64-linux-gnu/libc.so.6\n"
    "7f17bbc26000-7f17bbd7b000 r-xp 00026000 fe:00 332369                     "
    "/usr/lib/x86_64-linux-gnu/libc.so.6\n"
    "7f17bc100000-7f17bc110000 r-xp 00000000 00:00 0 \n"
    "7f17bc200000-7f17bc210000 r-xp 00000000 fe:00 42                         /srv/with space.so\n"
    "7ffc66df3000-7ffc66df5000 r-xp 00000000 00:00 0                          [vdso]\n";

TEST(AddressSpace, ReadsExecutableMappingsOfACapturedProcess) {
  AddressSpace space;
  space.assign(kMaps);
  ASSERT_EQ(space.all().size(), 5u);
  const Mapping* app = space.find(0x56287a528d0e);
  ASSERT_NE(app, nullptr);
  EXPECT_EQ(app->path, "/srv/app");
  EXPECT_EQ(app->offset, 0x1000u);
  EXPECT_EQ(app->inode, 333001u);
  EXPECT_TRUE(app->has_file());
  EXPECT_EQ(space.find(0x7f17bc208000)->path, "/srv/with space.so");
  EXPECT_FALSE(space.find(0x7f17bc100010)->has_file());
  EXPECT_EQ(space.find(0x7ffc66df3800)->path, "[vdso]");
  EXPECT_EQ(space.find(0x56287a527fff), nullptr);  // there, but no code
  EXPECT_EQ(space.find(0x56287a52a000), nullptr);
  EXPECT_EQ(space.find(0), nullptr);
  EXPECT_EQ(space.find(UINT64_MAX), nullptr);
}

TEST(AddressSpace, TornAndHostileLinesAreLeftOut) {
  for (const char* line :
       {"", "x", "1000-", "1000-2000", "1000-2000 r-xp", "1000-2000 r-xp 0 fe:00",
        "2000-1000 r-xp 0 fe:00 1 /a", "1000-1000 r-xp 0 fe:00 1 /a", "g000-2000 r-xp 0 fe:00 1 /a",
        "1000-2000 rx 0 fe:00 1 /a", "1000-2000 r-xp 0 fe00 1 /a",
        "ffffffffffffffffff-2 r-xp 0 fe:00 1 /a", "1000-2000 r-xp 0 fe:00 -1 /a"}) {
    EXPECT_FALSE(parse_maps_line(line)) << line;
  }
  AddressSpace space;
  const std::string maps = kMaps;
  // Cut anywhere, nothing but whole lines counts.
  for (size_t length = 0; length <= maps.size(); ++length) {
    space.assign(std::string_view(maps).substr(0, length));
    EXPECT_LE(space.all().size(), 5u);
  }
  // Overlapping mappings cannot be: the first counts.
  space.assign("1000-3000 r-xp 0 fe:00 1 /a\n2000-4000 r-xp 0 fe:00 2 /b\n");
  ASSERT_EQ(space.all().size(), 1u);
  EXPECT_EQ(space.find(0x2500)->path, "/a");
}

TEST(AddressSpace, ANewMappingTakesThePlaceOfWhatWasThere) {
  AddressSpace space;
  space.assign("1000-5000 r-xp 00000000 fe:00 1 /a\n");
  const uint64_t before = space.generation();
  space.insert({0x2000, 0x3000, 0, 2, "/b", true});
  EXPECT_GT(space.generation(), before);
  ASSERT_EQ(space.all().size(), 3u);
  EXPECT_EQ(space.find(0x1fff)->path, "/a");
  EXPECT_EQ(space.find(0x2000)->path, "/b");
  EXPECT_EQ(space.find(0x3000)->path, "/a");
  EXPECT_EQ(space.find(0x3000)->offset, 0x2000u);
  space.insert({0x1000, 0x5000, 0, 0, "", false});  // data now
  EXPECT_TRUE(space.all().empty());
}

TEST(AddressSpace, GeneratedCodeComingAndGoingChangesNoFile) {
  AddressSpace space;
  space.assign(kMaps);
  const uint64_t before = space.generation();
  for (uint64_t i = 0; i < 100; ++i)
    space.insert({0x1000 * (i + 1), 0x1000 * (i + 2), 0, 0, "", true});
  EXPECT_EQ(space.generation(), before);
}

TEST(AddressSpace, HoldsSoManyMappingsAndNoMore) {
  AddressSpace space;
  for (uint64_t i = 0; i < AddressSpace::kMost + 100; ++i) {
    space.insert({i * 0x2000, i * 0x2000 + 0x1000, 0, 0, "", true});
  }
  EXPECT_EQ(space.all().size(), AddressSpace::kMost);
}

// Captured from Node 20 with --perf-basic-prof, and from Python 3.13 with -X perf.
constexpr const char* kNodeMap =
    "7f3c88000040 1a4 Builtin:RecordWriteSaveFP\n"
    "7f3c9da04080 2d8 JS:*roastBeans [eval]:1:20\n";
constexpr const char* kPythonMap = "7f0ad4fd1120 14 py::steep_tea:<string>\n";

TEST(PerfMap, NamesTheCodeOfNodeAndPython) {
  PerfMap map;
  map.append(kNodeMap);
  map.append(kPythonMap);
  EXPECT_EQ(map.find(0x7f3c9da04080), "JS:*roastBeans [eval]:1:20");
  EXPECT_EQ(map.find(0x7f3c9da04357), "JS:*roastBeans [eval]:1:20");
  EXPECT_EQ(map.find(0x7f3c9da04358), "");
  EXPECT_EQ(map.find(0x7f0ad4fd1121), "py::steep_tea:<string>");
  EXPECT_EQ(map.find(0), "");
}

TEST(PerfMap, ALineMayComeInPieces) {
  const std::string text = std::string(kNodeMap) + kPythonMap;
  for (size_t step = 1; step < 20; ++step) {
    PerfMap map;
    for (size_t i = 0; i < text.size(); i += step) map.append(text.substr(i, step));
    EXPECT_EQ(map.size(), 3u) << step;
    EXPECT_EQ(map.find(0x7f0ad4fd1121), "py::steep_tea:<string>") << step;
  }
}

TEST(PerfMap, ATornLastLineWaits) {
  PerfMap map;
  map.append("1000 10 one\n2000 10 tw");
  EXPECT_EQ(map.size(), 1u);
  map.append("o\n");
  EXPECT_EQ(map.find(0x2000), "two");
}

TEST(PerfMap, WhatIsCompiledAnewTakesTheOldOnesPlace) {
  PerfMap map;
  map.append("1000 100 old\n1100 100 neighbour\n1080 100 new\n");
  EXPECT_EQ(map.find(0x1000), "");
  EXPECT_EQ(map.find(0x1080), "new");
  EXPECT_EQ(map.find(0x1100), "new");
  EXPECT_EQ(map.size(), 1u);
}

TEST(PerfMap, HostileLinesAreOnlyText) {
  for (const char* line :
       {"", "1000", "1000 10", "1000 10 ", "xyz 10 name", "1000 0 name",
        "ffffffffffffffff ffff name", "-1 10 name", "1000 10000000000000000 n"}) {
    EXPECT_FALSE(parse_perf_map_line(line)) << line;
  }
  EXPECT_EQ(parse_perf_map_line("0x1000 0x10 a name\r")->name, "a name");
  PerfMap map;
  // A line without an end must not be kept.
  for (int i = 0; i < 100; ++i) map.append(std::string(10'000, 'a'));
  map.append("\n1000 10 after\n");
  EXPECT_EQ(map.find(0x1000), "after");
  EXPECT_EQ(map.too_long(), 1u);
  map.append("2000 10 " + std::string(10'000, 'n') + "\n");
  EXPECT_EQ(map.find(0x2000), "");
  EXPECT_EQ(map.too_long(), 2u);
  // A name may be long, but is not kept so.
  map.append("3000 10 " + std::string(4000, 'n') + "\n");
  EXPECT_EQ(map.find(0x3000).size(), PerfMap::kMostName);
  // One range over everything takes the rest away, and that is all it does.
  map.append("1 fffffffffffffff0 everything\n");
  EXPECT_EQ(map.size(), 1u);
}

TEST(PerfMap, HoldsSoManyNamesAndNoMore) {
  PerfMap map;
  std::string text;
  for (size_t i = 0; i < PerfMap::kMostRanges + 10; ++i) {
    char line[48];
    std::snprintf(line, sizeof(line), "%zx 8 f\n", (i + 1) * 16);
    text += line;
  }
  map.append(text);
  EXPECT_EQ(map.size(), PerfMap::kMostRanges);
  EXPECT_TRUE(map.full());
}

// Captured.
constexpr const char* kKallsyms =
    "ffffffff81000000 T srso_alias_untrain_ret\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff810b2c40 T schedule\n"
    "ffffffff810b2d00 d some_data\n"
    "ffffffff810b2e00 t do_nanosleep\n"
    "ffffffffc0400000 t ext4_init [ext4]\n";

TEST(KernelSymbols, FindsTheFunctionAroundAnAddress) {
  KernelSymbols symbols;
  symbols.append(kKallsyms);
  symbols.sort();
  EXPECT_EQ(symbols.size(), 4u);
  EXPECT_EQ(symbols.find(0xffffffff810b2c40), "schedule");
  EXPECT_EQ(symbols.find(0xffffffff810b2d10), "schedule");  // data is no function
  EXPECT_EQ(symbols.find(0xffffffff810b2e44), "do_nanosleep");
  EXPECT_EQ(symbols.find(0xffffffffc0400010), "ext4_init");
  EXPECT_EQ(symbols.find(0xffffffff80000000), "");
  EXPECT_EQ(symbols.find(UINT64_MAX), "");
}

TEST(KernelSymbols, HiddenAddressesAreToldWithTheRemedy) {
  char path[] = "/tmp/plumb-kallsyms-XXXXXX";
  const int file = ::mkstemp(path);
  ASSERT_GE(file, 0);
  const std::string hidden = "0000000000000000 T _stext\n0000000000000000 T schedule\n";
  ASSERT_EQ(::write(file, hidden.data(), hidden.size()), static_cast<ssize_t>(hidden.size()));
  ::close(file);
  KernelSymbols symbols;
  const Status status = symbols.load(path);
  ::unlink(path);
  EXPECT_EQ(status.code(), PLUMB_PERMISSION_DENIED);
  EXPECT_NE(status.message().find("kptr_restrict"), std::string::npos) << status.message();
  EXPECT_EQ(symbols.load("/nonexistent/kallsyms").code(), PLUMB_PERMISSION_DENIED);
}

TEST(KernelSymbols, HostileLinesAreLeftOut) {
  for (const char* line :
       {"", "ffff", "ffff T", "xyz T name", "ffff TT name", "fffffffffffffffff T name"}) {
    EXPECT_FALSE(parse_kallsyms_line(line)) << line;
  }
}

TEST(ProcessStatus, TellsTheUserAndTheIdInsideTheContainer) {
  const auto status = parse_status(
      "Name:\tnode\nTgid:\t4242\nPid:\t4242\nUid:\t1000\t1001\t1001\t1001\nNSpid:\t4242\t17\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->user, 1001u);
  EXPECT_EQ(status->namespace_pid, 17);
  EXPECT_EQ(parse_status("Pid:\t5\nUid:\t0\t0\t0\t0\n")->namespace_pid, 5);
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("Pid:\t5\n"));
  EXPECT_FALSE(parse_status("Pid:\t5\nUid:\t0\n"));
  EXPECT_FALSE(parse_status("Uid:\t0\t0\t0\t0\nNSpid:\t-1\n"));
}

TEST(CpuList, IsReadAsTheKernelWritesIt) {
  EXPECT_EQ(parse_cpu_list("0-1\n"), (std::vector<int>{0, 1}));
  EXPECT_EQ(parse_cpu_list("0,2-3,8\n"), (std::vector<int>{0, 2, 3, 8}));
  for (const char* hostile : {"", "\n", "x", "3-1", "0-999999999", "-1", "1,,2"}) {
    EXPECT_TRUE(parse_cpu_list(hostile).empty()) << hostile;
  }
}

}  // namespace
}  // namespace plumb::stack_profile
