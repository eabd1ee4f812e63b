#include "plugins/host_metrics/roles.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace plumb::host_metrics
