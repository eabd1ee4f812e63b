// What the plugin says and does where the kernel refuses, its budget, and what leaves it.
#include "plugins/stack_profile/stack_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "plugins/proc/fake_proc.h"
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
bool is_hardware(const perf_event_attr& attr) { return attr.type == PERF_TYPE_HARDWARE; }
bool sees_kernel(const perf_event_attr& attr) { return attr.exclude_kernel == 0; }

class AccessTest : public ::testing::Test {
 protected:
  void paranoid(int level) {
    proc.write("proc/sys/kernel/perf_event_paranoid", std::to_string(level) + "\n");
  }
  proc::FakeProc proc;
};

TEST_F(AccessTest, WithEveryPrivilegeAndACounterNothingIsMissing) {
  const Access access = probe_access(kernel(0, [](auto&, Pid) { return false; }), proc.root());
  EXPECT_TRUE(access.on_cpu && access.off_cpu && access.hardware && access.count_kernel &&
              access.whole_machine);
  EXPECT_EQ(access.refused + access.off_cpu_refused + access.kernel_refused, "");
}

TEST_F(AccessTest, WithoutACounterTheClockIsUsed) {
  const Access access =
      probe_access(kernel(ENOENT, [](auto& a, Pid) { return is_hardware(a); }), proc.root());
  EXPECT_TRUE(access.on_cpu && access.off_cpu && access.count_kernel);
  EXPECT_FALSE(access.hardware);
}

TEST_F(AccessTest, WithoutTheKernelOffCpuIsMissingAndTheLevelIsNamed) {
  paranoid(2);
  const Access access = probe_access(
      kernel(EACCES,
             [](auto& a, Pid tid) { return is_hardware(a) ? false : sees_kernel(a) || tid < 0; }),
      proc.root());
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
                      kernel(EACCES, [](auto&, Pid) { return true; }));
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
  StackProfile plugin(Host(host.get()), proc.root(), kernel(0, [](auto&, Pid) { return false; }));
  ASSERT_TRUE(configure(plugin, R"({"target":{"url":"https://example.org"}})"));
  EXPECT_TRUE(plugin.start());
  EXPECT_EQ(host.health, static_cast<uint32_t>(PLUMB_HEALTH_DARK));
  EXPECT_THAT(host.health_message, HasSubstr("target.process"));
  EXPECT_TRUE(plugin.collect());
  EXPECT_TRUE(plugin.stop(0));
}

TEST_F(AccessTest, ASelectorThatMakesNoSenseIsRefused) {
  RecordingHost host;
  StackProfile plugin(Host(host.get()), proc.root(), kernel(0, [](auto&, Pid) { return false; }));
  EXPECT_EQ(configure(plugin, R"({"target":{"process":{"pid":-1}}})").code(),
            PLUMB_INVALID_ARGUMENT);
}

TEST(Pace, WithinTheBudgetNothingChanges) {
  Pace pace(99, 0.05);
  EXPECT_FALSE(pace.spent(0.1, 0.05, 5));
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
  EXPECT_FALSE(pace.spent(0.05, 1.5, 5));
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

}  // namespace
}  // namespace plumb::stack_profile
