// What the plugin says and does where the kernel refuses, its budget, and what leaves it.
#include "plugins/stack_profile/stack_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugins/proc/fake_proc.h"
#include "plugins/stack_profile/fake_kernel.h"
#include "plugins/stack_profile/record_builder.h"
#include "plugins/stack_profile/recording_host.h"

namespace plumb::stack_profile {
namespace {

using ::testing::HasSubstr;

// A kernel that gives `error` for events that `refuses` picks, and a useless descriptor else.
OpenEvent kernel(int error, std::function<bool(const perf_event_attr&, Pid)> refuses) {
  return [=](const perf_event_attr& attr, Pid tid, int) -> int {
    if (refuses(attr, tid)) return -error;
    return ::dup(STDERR_FILENO);
  };
}
bool sees_kernel(const perf_event_attr& attr) { return attr.exclude_kernel == 0; }

class AccessTest : public ::testing::Test {
 protected:
  void paranoid(int level) {
    proc.write("proc/sys/kernel/perf_event_paranoid", std::to_string(level) + "\n");
  }
  proc::FakeProc proc;
};

TEST_F(AccessTest, WithEveryPrivilegeNothingIsMissing) {
  const Access access = probe_access(kernel(0, [](auto&, Pid) { return false; }), proc.root());
  EXPECT_TRUE(access.on_cpu && access.off_cpu && access.count_kernel && access.whole_machine);
  EXPECT_EQ(access.refused + access.off_cpu_refused + access.kernel_refused, "");
}

TEST_F(AccessTest, ProcessorTimeIsSampledByTheClockWhateverCountersThereAre) {
  for (const bool whole_machine : {false, true}) {
    EventSettings settings;
    settings.whole_machine = whole_machine;
    const perf_event_attr attr = on_cpu_event(settings);
    EXPECT_EQ(attr.type, uint32_t{PERF_TYPE_SOFTWARE});
    EXPECT_EQ(attr.config, uint64_t{PERF_COUNT_SW_CPU_CLOCK});
  }
  (void)probe_access(
      [](const perf_event_attr& attr, Pid, int) -> int {
        EXPECT_NE(attr.type, uint32_t{PERF_TYPE_HARDWARE});
        return ::dup(STDERR_FILENO);
      },
      proc.root());
}

TEST_F(AccessTest, WithoutTheKernelOffCpuIsMissingAndTheLevelIsNamed) {
  paranoid(2);
  const Access access = probe_access(
      kernel(EACCES, [](auto& a, Pid tid) { return sees_kernel(a) || tid < 0; }), proc.root());
  EXPECT_TRUE(access.on_cpu);
  EXPECT_FALSE(access.off_cpu);
  EXPECT_THAT(access.off_cpu_refused, HasSubstr("perf_event_paranoid is 2: set it to 1"));
  EXPECT_THAT(access.off_cpu_refused, HasSubstr("CAP_PERFMON"));
}

TEST_F(AccessTest, AHardenedKernelIsToldWithItsLevel) {
  paranoid(4);
  const Access access = probe_access(kernel(EACCES, [](auto&, Pid) { return true; }), proc.root());
  EXPECT_FALSE(access.on_cpu);
  EXPECT_THAT(access.refused, HasSubstr("perf_event_paranoid is 4"));
  EXPECT_THAT(access.refused, HasSubstr("CAP_PERFMON"));
}

TEST_F(AccessTest, AContainersFilterIsToldFromTheKernelsLevel) {
  paranoid(1);
  const Access access = probe_access(kernel(EPERM, [](auto&, Pid) { return true; }), proc.root());
  EXPECT_THAT(access.refused, HasSubstr("seccomp"));
}

TEST_F(AccessTest, AKernelWithoutPerfEventsIsTold) {
  const Access access = probe_access(kernel(ENOSYS, [](auto&, Pid) { return true; }), proc.root());
  EXPECT_THAT(access.refused, HasSubstr("CONFIG_PERF_EVENTS"));
}

Status configure(StackProfile& plugin, const std::string& document) {
  plumb_config config{};
  config.struct_size = sizeof(config);
  config.document = document.c_str();
  return plugin.configure(Config(&config));
}

TEST_F(AccessTest, TheRunGoesOnInTheDarkWhereNothingMayBeSeen) {
  paranoid(3);
  RecordingHost host;
  StackProfile plugin(Host(host.get()), proc.root(),
                      {.open = kernel(EACCES, [](auto&, Pid) { return true; })});
  ASSERT_TRUE(configure(plugin, R"({"target":{"process":{"pid":50}}})"));
  EXPECT_TRUE(plugin.start());
  EXPECT_EQ(host.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host.health_message, HasSubstr("perf_event_paranoid is 3"));
  EXPECT_TRUE(plugin.collect());
  EXPECT_TRUE(plugin.stage({PLUMB_STAGE_STEADY, "steady", 0, 1}));
  EXPECT_TRUE(plugin.stop(0));
  EXPECT_TRUE(plugin.stop(0));
  EXPECT_TRUE(host.series.empty());
  EXPECT_TRUE(host.profiles.empty());
}

TEST_F(AccessTest, WithoutAProcessToWatchItSaysHowToNameOne) {
  RecordingHost host;
  StackProfile plugin(Host(host.get()), proc.root(),
                      {.open = kernel(0, [](auto&, Pid) { return false; })});
  ASSERT_TRUE(configure(plugin, R"({"target":{"url":"https://example.org"}})"));
  EXPECT_TRUE(plugin.start());
  EXPECT_EQ(host.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host.health_message, HasSubstr("target.process"));
  EXPECT_TRUE(plugin.collect());
  EXPECT_TRUE(plugin.stop(0));
}

TEST_F(AccessTest, ASelectorThatMakesNoSenseIsRefused) {
  RecordingHost host;
  StackProfile plugin(Host(host.get()), proc.root(),
                      {.open = kernel(0, [](auto&, Pid) { return false; })});
  EXPECT_EQ(configure(plugin, R"({"target":{"process":{"pid":-1}}})").code(),
            PLUMB_INVALID_ARGUMENT);
}

TEST(Pace, WithinTheBudgetNothingChanges) {
  Pace pace(99, 0.05);
  EXPECT_FALSE(pace.spent(0.15, 0.05, 5));
  EXPECT_EQ(pace.frequency(), 99u);
  EXPECT_GT(pace.share(), 0.02);
}

TEST(Pace, BeyondTheBudgetItGoesSlowerUntilItFits) {
  Pace pace(99, 0.05);
  uint32_t frequency = 99;
  for (int i = 0; i < 20; ++i) {
    // Half a core at 99 Hz.
    if (const auto slower = pace.spent(0.5 * 5 * frequency / 99, 0, 5)) {
      EXPECT_LT(*slower, frequency);
      frequency = *slower;
    }
  }
  EXPECT_GE(frequency, Pace::kLeastFrequency);
  EXPECT_LE(0.5 * frequency / 99, 0.05);
}

TEST(Pace, NamingAProgramOnceDoesNotSlowItDown) {
  Pace pace(99, 0.05);
  EXPECT_FALSE(pace.spent(1.55, 1.5, 5));
  EXPECT_FALSE(pace.spent(0.05, 0, 5));
}

TEST(Pace, ItNeverStopsAltogether) {
  Pace pace(99, 0.001);
  for (int i = 0; i < 100; ++i) (void)pace.spent(5, 5, 5);
  EXPECT_EQ(pace.frequency(), Pace::kLeastFrequency);
  EXPECT_FALSE(pace.spent(5, 5, 5));
  EXPECT_FALSE(pace.spent(1, 1, 0));
}

TEST(FoldedStacks, EqualTextIsOneStackAndManyGoInPieces) {
  RecordingHost host;
  Symbolizer symbolizer;
  FoldedStacks folded;
  const std::string label = "app";
  for (int i = 0; i < 2; ++i) folded.add(symbolizer, {label, {}, 0.25});
  folded.add(symbolizer, {label, {}, 0});
  std::vector<std::string> labels;
  for (int i = 0; i < 45'000; ++i) labels.push_back("thread " + std::to_string(i));
  for (const std::string& other : labels) folded.add(symbolizer, {other, {}, 1});
  EXPECT_TRUE(folded.emit(Host(host.get()), Profile::kOnCpu, 1, 2));
  EXPECT_TRUE(folded.empty());
  EXPECT_NEAR(host.profiles["on_cpu"]["app"], 0.5, 1e-9);
  EXPECT_EQ(host.profiles["on_cpu"].size(), 45'001u);
  EXPECT_TRUE(host.breaches.empty());
}

TEST(FoldedStacks, OfAnEndlessStackTheInnerFramesStay) {
  RecordingHost host;
  Symbolizer symbolizer;
  const uint32_t frame = symbolizer.kernel_frame(1);
  const std::vector<uint32_t> frames(1000, frame);
  FoldedStacks folded;
  const std::string label = "app";
  folded.add(symbolizer, {label, frames, 1});
  ASSERT_TRUE(folded.emit(Host(host.get()), Profile::kOnCpu, 1, 2));
  const std::string text = host.profiles["on_cpu"].begin()->first;
  EXPECT_TRUE(text.starts_with("app;[outer frames left out];[kernel]_[k];")) << text;
  EXPECT_LE(std::count(text.begin(), text.end(), ';'), 250);
}

// Shares of two functions, added stage by stage.
class JudgedSharesTest : public ::testing::Test {
 protected:
  void stage(uint32_t kind, double kernel, double user) {
    shares.begin_stage(kind);
    add(kernel, user);
  }
  void add(double kernel, double user) {
    shares.add(symbolizer, Profile::kOnCpu, {label, kernel_frame, kernel});
    shares.add(symbolizer, Profile::kOnCpu, {label, user_frame, user});
  }
  double kernel_share() const {
    const auto json = nlohmann::json::parse(shares.shares().json(symbolizer));
    for (const auto& row : json["rows"]) {
      if (row[1] == "[kernel]_[k]") return row[3];
    }
    return -1;
  }
  Symbolizer symbolizer;
  const std::string label = "app";
  const std::vector<uint32_t> kernel_frame{symbolizer.kernel_frame(1)};
  const std::vector<uint32_t> user_frame{
      symbolizer.user_frame(TracedProcess(proc::Root{}, 1, 1), 1, false)};
  JudgedShares shares;
};

TEST_F(JudgedSharesTest, SeveralSteadyStagesAndASpikeAreOneWindowWithWhatLiesBetween) {
  add(1000, 0);
  stage(PLUMB_STAGE_WARMUP, 1000, 0);
  stage(PLUMB_STAGE_RAMP, 1000, 0);
  stage(PLUMB_STAGE_STEADY, 1, 0);
  stage(PLUMB_STAGE_RAMP, 0, 1);
  stage(PLUMB_STAGE_SPIKE, 0, 1);
  stage(PLUMB_STAGE_STEADY, 0, 1);
  EXPECT_NEAR(kernel_share(), 0.25, 1e-4);
  stage(PLUMB_STAGE_RAMP, 1000, 0);
  EXPECT_FALSE(shares.inside());
  stage(PLUMB_STAGE_COOLDOWN, 1000, 0);
  EXPECT_NEAR(kernel_share(), 0.25, 1e-4);
}

TEST_F(JudgedSharesTest, ARunThatOnlyRampsIsJudgedByItsRamps) {
  stage(PLUMB_STAGE_WARMUP, 1000, 0);
  stage(PLUMB_STAGE_RAMP, 1, 1);
  stage(PLUMB_STAGE_RAMP, 0, 2);
  stage(PLUMB_STAGE_COOLDOWN, 1000, 0);
  EXPECT_NEAR(kernel_share(), 0.25, 1e-4);
}

// The plugin with a kernel of the test's own and a process with one thread.
class FakeKernelTest : public AccessTest {
 protected:
  void SetUp() override {
    proc.write("sys/devices/system/cpu/online", "0-1\n");
    proc.add({.pid = 50, .comm = "shop"});
    proc.write("proc/50/status", "Pid:\t50\nUid:\t0\t0\t0\t0\n");
    proc.write("proc/50/comm", "shop\n");
    proc.write("proc/50/maps", "1000-9000 r-xp 00000000 00:00 0 \n");
  }
  static constexpr const char* kTarget = R"({"target":{"process":{"pid":50}}})";
  FakeKernel fake;
  RecordingHost host;
};

TEST_F(FakeKernelTest, WhatIsWrittenWhileTheEventsAreSwitchedOffIsStillCounted) {
  StackProfile plugin(Host(host.get()), proc.root(), fake.kernel());
  ASSERT_TRUE(configure(plugin, kTarget));
  ASSERT_TRUE(plugin.start());
  fake.on_enable = [&](bool on) {
    EXPECT_FALSE(on);
    fake.on_enable = {};
    const auto now = static_cast<uint64_t>(Host(host.get()).now_ns());
    const uint64_t first_event = 1;
    // Registers and stack: none.
    auto record = sample_record(first_event, 50, 50, now, 250'000'000, {}, {0x1100});
    const std::vector<std::byte> nothing(16);
    record.insert(record.end(), nothing.begin(), nothing.end());
    const auto bytes = static_cast<uint16_t>(record.size());
    std::memcpy(record.data() + offsetof(perf_event_header, size), &bytes, sizeof(bytes));
    fake.ring.write(record);
  };
  ASSERT_TRUE(plugin.stop(0));
  EXPECT_NEAR(host.seconds("on_cpu", "shop;[generated code]"), 0.25, 1e-9) << host.top("on_cpu");
  EXPECT_THAT(host.tables["profile_notes"], HasSubstr("--perf-basic-prof")) << "it has no names";
}

TEST_F(FakeKernelTest, OpeningEventsCountsTowardsTheBudget) {
  StackProfile plugin(Host(host.get()), proc.root(), fake.kernel());
  ASSERT_TRUE(configure(plugin, kTarget));
  ASSERT_TRUE(plugin.start());
  // More than a quarter of a second of processor time, of the five seconds that follow.
  proc.thread(50, 51, 0, 0);
  fake.refuse = [&](const perf_event_attr&, Pid) {
    const double until = thread_cpu_seconds() + 0.15;
    while (thread_cpu_seconds() < until) continue;
    return 0;
  };
  for (int tick = 0; tick < 60; ++tick) {
    host.ahead_ns += 100'000'000;
    ASSERT_TRUE(plugin.collect());
  }
  EXPECT_GE(fake.count(PERF_COUNT_SW_CONTEXT_SWITCHES, 51), 2u);
  EXPECT_NE(std::find(host.events.begin(), host.events.end(), "profile-slowed"), host.events.end());
  EXPECT_TRUE(plugin.stop(0));
}

TEST_F(FakeKernelTest, ThreadsFoundAtTheStartAreLookedForAgainAtTheNextTick) {
  StackProfile plugin(Host(host.get()), proc.root(), fake.kernel());
  ASSERT_TRUE(configure(plugin, kTarget));
  // One is born when the list is made and its parent's events are not open yet.
  fake.refuse = [&](const perf_event_attr&, Pid tid) {
    if (tid == 50) proc.thread(50, 51, 0, 0);
    return 0;
  };
  ASSERT_TRUE(plugin.start());
  EXPECT_EQ(fake.count(PERF_COUNT_SW_CONTEXT_SWITCHES, 51), 0u);
  host.ahead_ns += 100'000'000;
  ASSERT_TRUE(plugin.collect());
  EXPECT_EQ(fake.count(PERF_COUNT_SW_CONTEXT_SWITCHES, 51), 2u);
  EXPECT_TRUE(plugin.stop(0));
}

}  // namespace
}  // namespace plumb::stack_profile
