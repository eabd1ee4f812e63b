#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/host_metrics/host_table.h"
#include "plugins/host_metrics/process_table.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using Json = nlohmann::json;
using proc::FakeProc;

constexpr int64_t kSecond = 1'000'000'000;

TEST(ProcessTable, SharesCountFromItsBeginning) {
  FakeProc fake;
  fake.add({.pid = 10, .comm = "shop", .user_ticks = 1000});
  fake.thread(10, 10, 0, 100'000'000);
  fake.add({.pid = 20, .comm = "stress", .user_ticks = 500});
  fake.add({.pid = 30, .comm = "idle", .user_ticks = 77});
  proc::ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  ProcessTable table(fake.root());
  table.begin(list, 5 * kSecond);

  fake.add({.pid = 10, .comm = "shop", .user_ticks = 1050});
  fake.thread(10, 10, 0, 600'000'000);
  fake.add({.pid = 20, .comm = "stress", .user_ticks = 1300});
  fake.add({.pid = 40, .comm = "new\xff", .user_ticks = 10, .start_ticks = 9000});
  ASSERT_TRUE(list.refresh(true));
  Roles roles;
  roles.target = {10};
  const Json json = Json::parse(table.json(list, roles, 15 * kSecond));
  ASSERT_EQ(json["columns"].size(), 6u);
  ASSERT_EQ(json["rows"].size(), 3u) << "one that used nothing and is not the target is left out";
  EXPECT_EQ(json["rows"][0], (Json{20, "stress", "other", 0.8, nullptr, 40960}));
  EXPECT_EQ(json["rows"][1], (Json{10, "shop", "target", 0.05, 0.05, 40960}));
  EXPECT_EQ(json["rows"][2][1], "new\xef\xbf\xbd");
}

TEST(ProcessTable, HoldsFortyRowsAndTheTargetAmongThem) {
  FakeProc fake;
  for (int pid = 100; pid < 160; ++pid) fake.add({.pid = pid});
  proc::ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  ProcessTable table(fake.root());
  table.begin(list, 0);
  for (int pid = 101; pid < 160; ++pid) fake.add({.pid = pid, .user_ticks = 100});
  ASSERT_TRUE(list.refresh(true));
  Roles roles;
  roles.target = {100};
  const Json json = Json::parse(table.json(list, roles, kSecond));
  EXPECT_EQ(json["rows"].size(), 40u);
  EXPECT_EQ(json["rows"][39][0], 100);
}

TEST(HostTable, SaysWhatMachineThisIsAndWhatCannotBeSeen) {
  FakeProc fake;
  fake.write("proc/sys/kernel/osrelease", "6.18.44\n");
  fake.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some Processor 3000\nflags\t\t: fpu\n");
  Problems problems;
  problems.set("pressure", "no PSI: boot with psi=1");
  problems.set("io", "denied");
  problems.set("io", "");
  const Json json = Json::parse(host_table_json(describe_machine(fake.root()), problems));
  const Json expected = Json::parse(
      R"([["kernel","6.18.44"],["processor","Some Processor 3000"],
          ["cannot see","no PSI: boot with psi=1"]])");
  EXPECT_EQ(json["rows"], expected);
}

TEST(HostTable, TheTightestQuotaOnTheWayUpBinds) {
  FakeProc fake;
  fake.write("proc/10/cgroup", "0::/system.slice/shop.service\n");
  fake.write("sys/fs/cgroup/system.slice/shop.service/cpu.max", "max 100000\n");
  fake.write("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n");
  const Rows rows = describe_cgroup(fake.root(), 10);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].second, "/system.slice/shop.service");
  EXPECT_EQ(rows[1].second, "1.50 processors");
}

TEST(HostTable, VersionOneQuotasAreRead) {
  FakeProc fake;
  fake.write("proc/10/cgroup", "4:memory:/m\n2:cpu,cpuacct:/shop\n0::/\n");
  fake.write("sys/fs/cgroup/cpu/shop/cpu.cfs_quota_us", "50000\n");
  fake.write("sys/fs/cgroup/cpu/shop/cpu.cfs_period_us", "100000\n");
  fake.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  fake.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(describe_cgroup(fake.root(), 10)[1].second, "0.50 processors");
}

}  // namespace
}  // namespace plumb::host_metrics
