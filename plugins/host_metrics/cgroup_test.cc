#include "plugins/host_metrics/cgroup.h"

#include <gtest/gtest.h>

#include "plugins/host_metrics/cgroup_watch.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;

// Captured on Debian 12 (version 2), CentOS 7 (version 1), and a machine with both.
constexpr std::string_view kVersion2 = "0::/system.slice/shop.service\n";
constexpr std::string_view kVersion1 =
    "11:memory:/system.slice/shop.service\n10:blkio:/system.slice/shop.service\n"
    "4:cpuacct,cpu:/system.slice/shop.service\n1:name=systemd:/system.slice/shop.service\n";
constexpr std::string_view kHybrid =
    "9:name=systemd:/\n7:blkio:/\n4:memory:/process_api/558b9a67\n2:cpuacct:/\n1:cpu:/\n0::/\n";

TEST(CgroupPaths, AreReadFromEveryLayout) {
  EXPECT_EQ(parse_cgroup_paths(kVersion2).unified, "/system.slice/shop.service");
  const CgroupPaths one = parse_cgroup_paths(kVersion1);
  EXPECT_EQ(one.cpu, "/system.slice/shop.service");
  EXPECT_EQ(one.blkio, "/system.slice/shop.service");
  EXPECT_TRUE(one.unified.empty());
  const CgroupPaths both = parse_cgroup_paths(kHybrid);
  EXPECT_EQ(both.cpu, "/");
  EXPECT_EQ(both.memory, "/process_api/558b9a67");
  EXPECT_EQ(both.unified, "/");
}

TEST(CgroupPaths, TornAndHostileLinesAreLeftOut) {
  EXPECT_EQ(parse_cgroup_paths("0::/shop"), CgroupPaths{}) << "the line does not end";
  EXPECT_EQ(parse_cgroup_paths("0:\n::\n:::::\n1:cpu:relative\n\n"), CgroupPaths{});
}

TEST(CgroupFiles, ThrottlingOfBothVersions) {
  const auto two = parse_throttling(
      "usage_usec 9\nnr_periods 40\nnr_throttled 7\nthrottled_usec 1500\nnr_bursts 0\n");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->throttled_ns, 1'500'000u);
  const auto one = parse_throttling("nr_periods 40\nnr_throttled 7\nthrottled_time 1500\n");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->throttled_ns, 1500u);
  EXPECT_FALSE(parse_throttling("usage_usec 9\n")) << "no quota";
  EXPECT_FALSE(parse_throttling("nr_periods 40\nnr_throttled 7\nthrottled_usec 15"));
  EXPECT_FALSE(parse_throttling("nr_periods -1\nnr_throttled 7\nthrottled_usec 15\n"));
}

TEST(CgroupFiles, QuotaInProcessors) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_FALSE(parse_cpu_max("max 100000\n"));
  EXPECT_FALSE(parse_cpu_max("150000 0\n"));
  EXPECT_FALSE(parse_cpu_max(""));
}

TEST(CgroupFiles, MemoryEventsAndBytes) {
  const auto events = parse_memory_events("low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  ASSERT_TRUE(events);
  EXPECT_EQ(events->max, 2u);
  EXPECT_EQ(events->oom_kill, 4u);
  EXPECT_FALSE(parse_memory_events("low 0\nhigh 1\nmax 2"));
  const auto io = parse_io_stat(
      "254:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2\n");
  ASSERT_TRUE(io);
  EXPECT_EQ(io->read, 101u);
  EXPECT_EQ(io->written, 22u);
  EXPECT_FALSE(parse_io_stat("254:0 rbytes=100 wby"));
  EXPECT_FALSE(parse_io_stat("a rbytes=18446744073709551615\nb rbytes=1\n")) << "no sum";
  const auto one = parse_blkio("254:0 Read 100\n254:0 Write 20\n254:0 Total 120\nTotal 120\n");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->read, 100u);
  EXPECT_EQ(one->written, 20u);
  EXPECT_FALSE(parse_blkio("254:0 Read 100\n254:0 Write 20\n")) << "torn before its total";
}

TEST(ServiceName, IsWhatPeopleCallIt) {
  EXPECT_EQ(service_name("/system.slice/shop.service"), "shop.service");
  EXPECT_EQ(service_name("/system.slice/shop.service/worker-3"), "shop.service");
  EXPECT_EQ(service_name("/user.slice/user-0.slice/session-4.scope"), "");
  const std::string id(64, 'a');
  EXPECT_EQ(service_name("/system.slice/docker-" + id + ".scope"), "docker-aaaaaaaaaaaa");
  EXPECT_EQ(service_name("/docker/" + id), "container-aaaaaaaaaaaa");
  EXPECT_EQ(service_name("/"), "");
}

class CgroupWatchTest : public ::testing::Test {
 protected:
  void file(const std::string& at, std::string_view text) {
    fake_.write("sys/fs/cgroup" + at, text);
  }
  void quota(const std::string& group, int periods, int throttled_us) {
    file(group + "/cgroup.events", "populated 1\n");
    file(group + "/cpu.stat", "nr_periods " + std::to_string(periods) + "\nnr_throttled " +
                                  std::to_string(periods / 2) + "\nthrottled_usec " +
                                  std::to_string(throttled_us) + "\n");
  }
  FakeProc fake_;
  CgroupWatch watch_{fake_.root()};
};

TEST_F(CgroupWatchTest, NestedGroupsCountByTheOneThatHoldsBackLongest) {
  fake_.write("proc/10/cgroup", "0::/outer/inner\n");
  file("/outer/cpu.max", "100000 100000\n");
  file("/outer/inner/cpu.max", "300000 100000\n");
  quota("/outer", 100, 5'000'000);
  quota("/outer/inner", 10, 0);
  CgroupTotals t = watch_.update(10);
  EXPECT_EQ(t.quota_processors, 1.0);
  EXPECT_EQ(t.throttling->throttled_ns, 0u) << "what was before the watch does not count";
  quota("/outer", 110, 5'400'000);
  quota("/outer/inner", 20, 100'000);
  t = watch_.update(10);
  EXPECT_EQ(t.throttling->throttled_ns, 400'000'000u);
  EXPECT_EQ(t.throttling->periods, 10u);
  EXPECT_EQ(t.throttling->throttled_periods, 5u);
}

TEST_F(CgroupWatchTest, AGroupThatIsMadeAnewGoesOnCounting) {
  fake_.write("proc/10/cgroup", "0::/shop\n");
  quota("/shop", 100, 1000);
  (void)watch_.update(10);
  quota("/shop", 110, 3000);
  EXPECT_EQ(watch_.update(10).throttling->throttled_ns, 2'000'000u);
  quota("/shop", 2, 500);  // restarted
  EXPECT_EQ(watch_.update(10).throttling->throttled_ns, 2'000'000u);
  quota("/shop", 4, 600);
  EXPECT_EQ(watch_.update(10).throttling->throttled_ns, 2'100'000u);
}

TEST_F(CgroupWatchTest, AGroupThatVanishesIsToldOnceAndNothingIsMadeUp) {
  fake_.write("proc/10/cgroup", "0::/shop\n");
  quota("/shop", 100, 1000);
  (void)watch_.update(10);
  EXPECT_EQ(watch_.take_change(), "");
  fake_.remove("sys/fs/cgroup/shop");
  // What is kept open reads on in a test's directory, until everything is looked for again.
  CgroupTotals t;
  for (int i = 0; i < 11; ++i) t = watch_.update(10);
  EXPECT_FALSE(t.throttling);
  EXPECT_EQ(watch_.take_change(), "the target's cgroup '/shop' is gone");
  fake_.write("proc/10/cgroup", "0::/other\n");
  quota("/other", 1, 1);
  for (int i = 0; i < 11; ++i) (void)watch_.update(10);
  EXPECT_NE(watch_.take_change().find("moved to cgroup '/other'"), std::string::npos);
  EXPECT_EQ(watch_.take_change(), "");
}

TEST_F(CgroupWatchTest, MemoryIsThatOfTheTightestLimit) {
  fake_.write("proc/10/cgroup", "0::/outer/inner\n");
  quota("/outer", 0, 0);
  quota("/outer/inner", 0, 0);
  file("/outer/memory.max", "1000\n");
  file("/outer/memory.current", "900\n");
  file("/outer/memory.events", "low 0\nhigh 0\nmax 5\noom 0\noom_kill 0\n");
  file("/outer/inner/memory.max", "max\n");
  file("/outer/inner/memory.current", "400\n");
  CgroupTotals t = watch_.update(10);
  EXPECT_EQ(t.memory_bytes, 900u);
  EXPECT_EQ(t.memory_limit_bytes, 1000u);
  file("/outer/memory.events", "low 0\nhigh 0\nmax 8\noom 1\noom_kill 1\n");
  t = watch_.update(10);
  EXPECT_EQ(t.memory_events->max, 3u);
  EXPECT_EQ(t.memory_events->oom_kill, 1u);
}

TEST_F(CgroupWatchTest, VersionOneIsReadWhereItsControllersAre) {
  fake_.write("proc/10/cgroup", kVersion1);
  const std::string at = "/system.slice/shop.service";
  file("/cpu,cpuacct" + at + "/cpu.cfs_quota_us", "50000\n");
  file("/cpu,cpuacct" + at + "/cpu.cfs_period_us", "100000\n");
  file("/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  file("/cpu,cpuacct" + at + "/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_time 5\n");
  file("/memory" + at + "/memory.usage_in_bytes", "77\n");
  file("/memory" + at + "/memory.limit_in_bytes", "9223372036854771712\n");
  file("/memory" + at + "/memory.failcnt", "2\n");
  file("/memory" + at + "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  file("/blkio" + at + "/blkio.throttle.io_service_bytes",
       "254:0 Read 5\n254:0 Write 6\nTotal 11\n");
  (void)watch_.update(10);
  file("/cpu,cpuacct" + at + "/cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 900\n");
  file("/memory" + at + "/memory.failcnt", "6\n");
  file("/blkio" + at + "/blkio.throttle.io_service_bytes",
       "254:0 Read 9\n254:0 Write 6\nTotal 15\n");
  const CgroupTotals t = watch_.update(10);
  EXPECT_EQ(t.quota_processors, 0.5);
  EXPECT_EQ(t.throttling->throttled_ns, 895u);
  EXPECT_EQ(t.memory_bytes, 77u);
  EXPECT_FALSE(t.memory_limit_bytes);
  EXPECT_EQ(t.memory_events->max, 4u);
  EXPECT_EQ(t.io->read, 4u);
}

TEST_F(CgroupWatchTest, TheMachinesOwnGroupSaysNothingOfTheTarget) {
  fake_.write("proc/10/cgroup", kHybrid);
  file("/cpu/release_agent", "\n");
  file("/cpu/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
  file("/blkio/release_agent", "\n");
  file("/blkio/blkio.throttle.io_service_bytes", "254:0 Read 5\n254:0 Write 6\nTotal 11\n");
  file("/unified/cpu.pressure", "some avg10=0 avg60=0 avg300=0 total=9\n");
  const CgroupTotals t = watch_.update(10);
  EXPECT_FALSE(t.quota_processors);
  EXPECT_EQ(t.throttling->throttled_ns, 0u) << "nothing can hold it back";
  EXPECT_FALSE(t.io);
  EXPECT_FALSE(t.pressure[0]);
  EXPECT_FALSE(t.memory_bytes);
}

}  // namespace
}  // namespace plumb::host_metrics
