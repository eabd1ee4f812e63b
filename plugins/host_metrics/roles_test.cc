#include "plugins/host_metrics/roles.h"

#include <gtest/gtest.h>

#include "plugins/host_metrics/group_cpu.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using proc::Pid;
using Pids = std::vector<Pid>;

TEST(Roles, AreGivenByParentageAndName) {
  FakeProc fake;
  fake.add({.pid = 1, .ppid = 0, .comm = "init"});
  fake.add({.pid = 50, .ppid = 1, .comm = "plumb"});
  fake.add({.pid = 51, .ppid = 50, .comm = "plumb-host"});  // this sampler
  fake.add({.pid = 52, .ppid = 50, .comm = "plumb-host"});
  fake.add({.pid = 53, .ppid = 50, .comm = "shop"});  // started by plumb: the target
  fake.add({.pid = 54, .ppid = 53, .comm = "worker"});
  fake.add({.pid = 60, .ppid = 1, .comm = "plumbd"});
  fake.add({.pid = 70, .ppid = 1, .comm = "postgres"});
  fake.add({.pid = 71, .ppid = 70, .comm = "postgres"});
  fake.add({.pid = 80, .ppid = 1, .comm = "stress"});
  proc::ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  const Roles roles = assign_roles(list, Pids{53, 54}, 51);
  EXPECT_EQ(roles.target, (Pids{53, 54}));
  EXPECT_EQ(roles.plumb, (Pids{50, 51, 52, 60}));
  EXPECT_EQ(roles.database, (Pids{70, 71}));
  EXPECT_EQ(roles.of(80), Role::kOther);
  EXPECT_EQ(role_name(roles.of(54)), "target");
}

TEST(Roles, AShellThatStartedTheSamplerIsNotPlumb) {
  FakeProc fake;
  fake.add({.pid = 40, .ppid = 1, .comm = "bash"});
  fake.add({.pid = 51, .ppid = 40, .comm = "something"});
  fake.add({.pid = 52, .ppid = 40, .comm = "stress"});
  proc::ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  EXPECT_EQ(assign_roles(list, {}, 51).plumb, (Pids{51}));
}

TEST(Roles, ATargetThatIsADatabaseIsTheTarget) {
  FakeProc fake;
  fake.add({.pid = 70, .ppid = 1, .comm = "postgres"});
  proc::ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  const Roles roles = assign_roles(list, Pids{70}, 51);
  EXPECT_EQ(roles.of(70), Role::kTarget);
  EXPECT_TRUE(roles.database.empty());
}

TEST(GroupCpu, CountsFromTheFirstLookAndKeepsWhatEndedProcessesUsed) {
  FakeProc fake;
  fake.add({.pid = 70, .user_ticks = 1000});
  fake.add({.pid = 71, .ppid = 70, .user_ticks = 10});
  GroupCpu group(fake.root(), GroupCpu::kReaped);
  EXPECT_EQ(group.update(Pids{70, 71}, 0), 0u);
  fake.add({.pid = 71, .ppid = 70, .user_ticks = 25});
  EXPECT_EQ(group.update(Pids{70, 71}, 10000), 15u);
  fake.end(71);
  fake.add({.pid = 70, .user_ticks = 1001, .reaped_user_ticks = 30});
  fake.add({.pid = 72, .ppid = 70, .user_ticks = 4, .start_ticks = 10050});
  // 1 of the parent, 5 of the ended child unseen, 4 of the new one.
  EXPECT_EQ(group.update(Pids{70, 72}, 10000), 25u);
}

TEST(GroupCpu, WithoutReapedTheTargetThatPlumbStartedIsNotChargedToPlumb) {
  FakeProc fake;
  fake.add({.pid = 50, .user_ticks = 10});
  GroupCpu group(fake.root(), GroupCpu::kNotReaped);
  EXPECT_EQ(group.update(Pids{50}, 0), 0u);
  fake.add({.pid = 50, .user_ticks = 12, .reaped_user_ticks = 5000});
  EXPECT_EQ(group.update(Pids{50}, 0), 2u);
}

}  // namespace
}  // namespace plumb::host_metrics
