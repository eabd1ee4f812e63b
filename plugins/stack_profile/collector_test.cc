// Records in, named stacks out: with processes of a /proc of the test's own.
#include "plugins/stack_profile/collector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugins/proc/fake_proc.h"
#include "plugins/stack_profile/function_name.h"
#include "plugins/stack_profile/record_builder.h"

namespace plumb::stack_profile {
namespace {

constexpr uint64_t kOn = 1;
constexpr uint64_t kOff = 2;
constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kPeriod = 10 * kMs;

class CollectorTest : public ::testing::Test {
 protected:
  void SetUp() override { process(50, "shop"); }
  void process(Pid pid, const std::string& name) {
    const std::string at = "proc/" + std::to_string(pid) + "/";
    proc.write(at + "status", "Pid:\t" + std::to_string(pid) + "\nUid:\t0\t0\t0\t0\n");
    proc.write(at + "comm", name + "\n");
    proc.write(at + "maps",
               "1000-9000 r-xp 00000000 00:00 0 \n"
               "10000-19000 r-xp 00000000 fe:00 77 /srv/" +
                   name + "\n");
    proc.write(at + "task/" + std::to_string(pid) + "/comm", name + "\n");
    watched.insert(pid);
  }
  void thread(Pid pid, Pid tid, const std::string& name) {
    proc.write("proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/comm",
               name + "\n");
    watched.insert(tid);
  }
  Collector make(size_t most_stacks = 1000) {
    Collector::Watch watch;
    watch.profile_of = [](uint64_t id) -> std::optional<Profile> {
      if (id == kOn) return Profile::kOnCpu;
      return id == kOff ? std::optional(Profile::kOffCpu) : std::nullopt;
    };
    watch.watches = [this](Pid tid) { return watched.contains(tid); };
    watch.born = [this](Pid tid, Pid, uint64_t) { watched.insert(tid); };
    watch.ended = [this](Pid tid) { watched.erase(tid); };
    return Collector(proc.root(), {Unwind::kAuto, false, most_stacks}, std::move(watch));
  }
  static std::map<std::string, double> take(Collector& collector, Profile wanted,
                                            uint64_t until_ns = 0) {
    std::map<std::string, double> out;
    collector.take(until_ns, [&](Profile profile, const NamedStack& stack) {
      if (profile != wanted) return;
      std::string text = stack.label;
      for (const uint32_t frame : stack.frames) {
        text += ";" + collector.symbolizer().frame(frame).function;
      }
      out[text] += stack.seconds;
    });
    return out;
  }
  proc::FakeProc proc;
  std::set<Pid> watched;
};

TEST_F(CollectorTest, EqualSamplesAreOneStackWithTheirTime) {
  Collector collector = make();
  for (int i = 0; i < 5; ++i) {
    collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x1100, 0x10100}));
  }
  const auto out = take(collector, Profile::kOnCpu);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out.begin()->first, "shop;[shop];[generated code]");
  EXPECT_NEAR(out.begin()->second, 0.05, 1e-9);
  EXPECT_TRUE(take(collector, Profile::kOnCpu).empty());
  EXPECT_EQ(collector.counts().samples[0], 5u);
}

TEST_F(CollectorTest, AThreadWithANameOfItsOwnIsASecondFrame) {
  thread(50, 51, "worker");
  Collector collector = make();
  collector.record(sample_record(kOn, 50, 51, 1000, kPeriod, {}, {0x1100}));
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;worker;[generated code]"));
  collector.record(comm_record(false, 50, 51, "packer", 1500));
  collector.record(sample_record(kOn, 50, 51, 2000, kPeriod, {}, {0x1100}));
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;packer;[generated code]"));
}

TEST_F(CollectorTest, SamplesOfOtherProcessesAreThrownAway) {
  Collector collector = make();
  collector.record(sample_record(kOn, 99, 99, 1000, kPeriod, {}, {0x1100}));
  collector.record(sample_record(77, 50, 50, 1000, kPeriod, {}, {0x1100}));  // of no event of ours
  EXPECT_TRUE(take(collector, Profile::kOnCpu).empty());
  EXPECT_EQ(collector.programs(), 0u);
}

TEST_F(CollectorTest, ChildrenOfStrangersAreStrangers) {
  Collector collector = make();
  collector.record(task_record(PERF_RECORD_FORK, 61, 99, 61, 2000));
  EXPECT_FALSE(watched.contains(61));
  collector.record(task_record(PERF_RECORD_FORK, 62, 50, 62, 2000));
  EXPECT_TRUE(watched.contains(62));
}

TEST_F(CollectorTest, AChildHasItsParentsMappingsAlthoughItHasEnded) {
  Collector collector = make();
  collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x10100}));
  collector.record(task_record(PERF_RECORD_FORK, 60, 50, 60, 2000));
  collector.record(sample_record(kOn, 60, 60, 3000, kPeriod, {}, {0x10100}));
  collector.record(task_record(PERF_RECORD_EXIT, 60, 50, 60, 4000));
  const auto out = take(collector, Profile::kOnCpu);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_NEAR(out.at("shop;[shop]"), 0.02, 1e-9);
  EXPECT_FALSE(watched.contains(60));
  collector.forget_unused();
  EXPECT_EQ(collector.programs(), 1u);
}

TEST_F(CollectorTest, WhatRanBeforeAnExecKeepsItsNames) {
  Collector collector = make();
  collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x10100}));
  process(50, "barista");
  collector.record(comm_record(true, 50, 50, "barista", 2000));
  collector.record(sample_record(kOn, 50, 50, 3000, kPeriod, {}, {0x10100}));
  const auto out = take(collector, Profile::kOnCpu);
  EXPECT_TRUE(out.contains("shop;[shop]"));
  EXPECT_TRUE(out.contains("barista;[barista]"));
  collector.forget_unused();
  EXPECT_EQ(collector.programs(), 1u);
}

TEST_F(CollectorTest, ALibraryMappedLaterIsKnown) {
  Collector collector = make();
  collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x30100}));
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;[unknown]"));
  collector.record(mmap_record(50, 0x30000, 0x1000, 88, "/srv/late.so", 2000));
  collector.record(sample_record(kOn, 50, 50, 3000, kPeriod, {}, {0x30100}));
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;[late.so]"));
}

TEST_F(CollectorTest, WhatIsBeyondTheLimitIsCountedTogether) {
  Collector collector = make(2);
  for (uint64_t i = 0; i < 5; ++i) {
    collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x10100, 0x10200 + i * 16}));
  }
  const auto out = take(collector, Profile::kOnCpu);
  EXPECT_NEAR(out.at("shop;[other stacks]"), 0.03, 1e-9);
  EXPECT_EQ(collector.counts().over_limit, 3u);
  double all = 0;
  for (const auto& [frames, seconds] : out) all += seconds;
  EXPECT_NEAR(all, 0.05, 1e-9);
}

TEST_F(CollectorTest, AWaitIsTheStackOfItsSwitch) {
  Collector collector = make();
  collector.record(sample_record(kOff, 50, 50, 100 * kMs, 1, {}, {0x1100, 0x10100}));
  collector.record(switch_record(true, false, 50, 50, 100 * kMs));
  collector.record(switch_record(false, false, 50, 50, 350 * kMs));
  const auto out = take(collector, Profile::kOffCpu, 400 * kMs);
  EXPECT_NEAR(out.at("shop;[shop];[generated code]"), 0.25, 1e-9);
  EXPECT_EQ(collector.counts().switches, 2u);
}

TEST_F(CollectorTest, SwitchesBetweenTwoWindowsAreNotCounted) {
  Collector collector = make();
  collector.suspend_off_cpu(100 * kMs);
  collector.record(sample_record(kOff, 50, 50, 200 * kMs, 1, {}, {0x10100}));
  collector.record(switch_record(true, false, 50, 50, 200 * kMs));
  collector.resume_off_cpu(500 * kMs, 5);
  collector.record(switch_record(false, false, 50, 50, 450 * kMs));  // older than the resume
  EXPECT_TRUE(take(collector, Profile::kOffCpu, 600 * kMs).empty());
  EXPECT_EQ(collector.counts().switches, 0u);
}

TEST_F(CollectorTest, DamagedAndLostRecordsAreCounted) {
  Collector collector = make();
  const auto good = sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x1100});
  collector.record(Bytes(good).first(good.size() - 8));
  EXPECT_EQ(collector.counts().damaged, 1u);
  collector.record(RecordBuilder(PERF_RECORD_LOST, 0)
                       .add(kOff)
                       .add<uint64_t>(12)
                       .trailer(50, 50, 1000, kOff)
                       .bytes());
  EXPECT_EQ(collector.counts().lost[1], 12u);
  EXPECT_EQ(collector.counts().lost[0], 0u);
}

TEST_F(CollectorTest, GeneratedCodeIsNamedByTheProcesssOwnFileOnly) {
  // The process's root is a directory of the test; its user is this one.
  proc.write("container/tmp/perf-50.map", "1100 100 JS:*roast\n");
  proc.descriptor(50, 0, "/dev/null");  // makes the directory
  const std::string base = proc.root().proc.substr(0, proc.root().proc.rfind('/'));
  std::filesystem::create_symlink(base + "/container", base + "/proc/50/root");
  proc.write("proc/50/status",
             "Pid:\t50\nUid:\t0\t" + std::to_string(::getuid()) + "\t0\t0\nNSpid:\t50\n");
  {
    Collector collector = make();
    collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x1110}));
    EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;JS:*roast"));
    EXPECT_EQ(collector.perf_map_problem(), "");
  }
  // Now it belongs to another user.
  if (::getuid() == 0) {
    ASSERT_EQ(::chown((base + "/container/tmp/perf-50.map").c_str(), 12345, 12345), 0);
    Collector collector = make();
    collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x1110}));
    collector.read_perf_maps();
    EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;[generated code]"));
    EXPECT_NE(collector.perf_map_problem().find("does not belong"), std::string::npos);
  }
  // Or is a link to somebody else's file.
  proc.remove("container/tmp/perf-50.map");
  proc.write("container/tmp/secret", "1100 100 secret\n");
  std::filesystem::create_symlink("secret", base + "/container/tmp/perf-50.map");
  Collector collector = make();
  collector.record(sample_record(kOn, 50, 50, 1000, kPeriod, {}, {0x1110}));
  collector.read_perf_maps();
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains("shop;[generated code]"));
  EXPECT_NE(collector.perf_map_problem().find("symbolic link"), std::string::npos);
}

// A process of the fake /proc with this test's own program mapped as it is here, whose files can be
// opened or not.
class FilesOfEndedTest : public CollectorTest {
 protected:
  void SetUp() override {
    const auto here = reinterpret_cast<uint64_t>(&demangle);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      const auto mapping = parse_maps_line(line);
      if (mapping && mapping->start <= here && here < mapping->end) line_ = line;
    }
    ASSERT_NE(line_, "");
    base_ = proc.root().proc.substr(0, proc.root().proc.rfind('/'));
  }
  void add(Pid pid, bool readable) {
    process(pid, "shop");
    proc.write("proc/" + std::to_string(pid) + "/maps", line_ + "\n");
    if (readable) {
      std::filesystem::create_directory_symlink("/",
                                                base_ + "/proc/" + std::to_string(pid) + "/root");
    }
  }
  void sample(Collector& collector, Pid pid) {
    const auto here = reinterpret_cast<uint64_t>(&demangle);
    collector.record(sample_record(kOn, pid, pid, 1000, kPeriod, {}, {here}));
  }
  static constexpr const char* kNamed = "shop;plumb::stack_profile::demangle";
  std::string line_;
  std::string base_;
};

TEST_F(FilesOfEndedTest, AFileThatOneProcessDoesNotGiveIsReadThroughTheNext) {
  add(50, false);
  add(51, true);
  Collector collector = make();
  sample(collector, 50);
  EXPECT_FALSE(take(collector, Profile::kOnCpu).contains(kNamed));
  EXPECT_EQ(collector.symbolizer().unreadable().size(), 1u);
  sample(collector, 51);
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains(kNamed));
  sample(collector, 50);
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains(kNamed));
  EXPECT_TRUE(collector.symbolizer().unreadable().empty());
}

TEST_F(FilesOfEndedTest, WhatAProcessDidBeforeItEndedIsNamedThroughAnotherWithTheFile) {
  add(50, false);
  Collector collector = make();
  sample(collector, 50);
  proc.remove("proc/50");
  add(51, true);
  // It is known, but none of its stacks is in that file.
  collector.record(sample_record(kOn, 51, 51, 1000, kPeriod, {}, {0x1100}));
  EXPECT_TRUE(take(collector, Profile::kOnCpu).contains(kNamed));
}

}  // namespace
}  // namespace plumb::stack_profile
