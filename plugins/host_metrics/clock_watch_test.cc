#include "plugins/host_metrics/clock_watch.h"

#include <gtest/gtest.h>

#include "plugins/host_metrics/cpu_frequency.h"
#include "plugins/host_metrics/pace.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TEST(ClockWatch, TellsAClockThatWasSetFromOneThatIsSlewed) {
  std::optional<int64_t> offset = 1'700'000'000'000'000'000;
  ClockWatch watch([&] { return offset; });
  EXPECT_FALSE(watch.look());
  *offset += kMillisecond / 2;  // slewing
  EXPECT_FALSE(watch.look());
  *offset -= 3600'000 * kMillisecond;
  EXPECT_EQ(watch.look(), -3600'000 * kMillisecond);
  EXPECT_FALSE(watch.look());
  offset.reset();  // could not be read at one instant
  EXPECT_FALSE(watch.look());
  offset = 1'700'000'000'000'000'000;
  EXPECT_TRUE(watch.look());
  EXPECT_EQ(watch.steps(), 2u);
}

TEST(ClockWatch, ThisMachinesClocksCanBeCompared) { EXPECT_TRUE(ClockWatch::system_offset()); }

TEST(ClockWatch, HostileOffsetsDoNotOverflow) {
  int64_t offset = INT64_MIN;
  ClockWatch watch([&] { return std::optional(offset); });
  (void)watch.look();
  offset = INT64_MAX;
  EXPECT_EQ(watch.look(), INT64_MAX);
}

TEST(CpuFrequency, IsTheMeanAndTheLeastOfThoseThatTell) {
  proc::FakeProc fake;
  const std::string at = "sys/devices/system/cpu/cpu";
  fake.write(at + "0/cpufreq/scaling_cur_freq", "3000000\n");
  fake.write(at + "1/cpufreq/scaling_cur_freq", "1000000\n");
  fake.write(at + "2/cpufreq/scaling_cur_freq", "<unknown>\n");
  const auto reading = CpuFrequency(fake.root()).read();
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->mean_hertz, 2e9);
  EXPECT_EQ(reading->least_hertz, 1e9);
  EXPECT_FALSE(CpuFrequency(proc::FakeProc().root()).read());
}

TEST(Pace, WhatIsDearComesRarely) {
  Pace pace(1000, 10);
  EXPECT_TRUE(pace.due(0));
  { const Pace::Turn turn(pace, 0); }
  EXPECT_FALSE(pace.due(9));
  EXPECT_TRUE(pace.due(31'000'000'000)) << "but it comes";
  pace.hurry();
  EXPECT_TRUE(pace.due(0));
}

}  // namespace
}  // namespace plumb::host_metrics
