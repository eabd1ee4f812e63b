#include "plugins/proc/processes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "plugins/proc/fake_proc.h"

namespace plumb::proc {
namespace {

using Pids = std::vector<Pid>;

Result<Selector> from(const char* target) {
  return selector_from_document(std::string(R"({"target":)") + target + "}");
}

TEST(SelectorFromDocument, TakesEachWayToNameAProcess) {
  EXPECT_EQ(from(R"({"process":{"port":8080}})")->port, 8080);
  EXPECT_EQ(from(R"({"process":{"pid":12}})")->pid, 12);
  EXPECT_EQ(from(R"({"process":{"name":"shop"}})")->name, "shop");
  EXPECT_EQ(from(R"({"process":{"cgroup":"system.slice/shop.service"}})")->cgroup,
            "system.slice/shop.service");
}

TEST(SelectorFromDocument, ALoopbackTargetIsFoundByItsPort) {
  EXPECT_EQ(from(R"({"host":"127.0.0.1","port":8080,"process":{}})")->port, 8080);
  EXPECT_EQ(from(R"({"host":"localhost","port":80,"process":null})")->port, 80);
  EXPECT_TRUE(from(R"({"host":"shop.example","port":80})")->empty());
  EXPECT_TRUE(selector_from_document("{}")->empty());
}

TEST(SelectorFromDocument, RefusesWhatIsNoProcess) {
  for (const char* bad :
       {R"({"process":{"port":0}})", R"({"process":{"port":4294967376}})",
        R"({"process":{"pid":-4}})", R"({"process":7})", R"({"process":{"cgroup":"../../etc"}})"}) {
    EXPECT_EQ(from(bad).status().code(), PLUMB_INVALID_ARGUMENT) << bad;
  }
  EXPECT_FALSE(selector_from_document("{"));
}

TEST(ProcessList, FollowsComingsGoingsAndNamesAfterExec) {
  FakeProc fake;
  fake.add({.pid = 10, .comm = "sh"});
  ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(false));
  fake.add({.pid = 10, .comm = "shop"});
  fake.add({.pid = 11, .ppid = 10});
  ASSERT_TRUE(list.refresh(false));
  EXPECT_EQ(list.find(10)->comm, "shop") << "it was new, and had not yet become what it is";
  fake.add({.pid = 10, .comm = "again"});
  ASSERT_TRUE(list.refresh(false));
  EXPECT_EQ(list.find(10)->comm, "shop");
  ASSERT_TRUE(list.refresh(true));
  EXPECT_EQ(list.find(10)->comm, "again");
  fake.end(11);
  ASSERT_TRUE(list.refresh(false));
  EXPECT_EQ(list.find(11), nullptr);
}

TEST(ProcessList, DescendantsAreFoundAtAnyDepthAndCyclesEnd) {
  FakeProc fake;
  fake.add({.pid = 10, .ppid = 13});  // a torn picture may close a circle
  fake.add({.pid = 11, .ppid = 10});
  fake.add({.pid = 12, .ppid = 11});
  fake.add({.pid = 13, .ppid = 12});
  fake.add({.pid = 20, .ppid = 1});
  ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  EXPECT_EQ(list.with_descendants(Pids{11}), (Pids{10, 11, 12, 13}));
  EXPECT_EQ(list.with_descendants(Pids{20, 99}), (Pids{20}));
}

TEST(ProcessList, SaysWhenThereIsNoProc) {
  ProcessList list(Root{"/nowhere/proc", "/nowhere/sys"});
  EXPECT_EQ(list.refresh(true).code(), PLUMB_UNAVAILABLE);
}

TEST(FindTarget, ByPidWithChildren) {
  FakeProc fake;
  fake.add({.pid = 10});
  fake.add({.pid = 11, .ppid = 10});
  Selector s;
  s.pid = 10;
  EXPECT_EQ(find_target(fake.root(), s).value(), (Pids{10, 11}));
  s.pid = 12;
  EXPECT_EQ(find_target(fake.root(), s).status().code(), PLUMB_NOT_FOUND);
}

TEST(FindTarget, ByNameOrByTheFileNameOfTheCommand) {
  FakeProc fake;
  fake.add({.pid = 10, .comm = "shop"});
  fake.add({.pid = 20, .comm = "MainThread"});
  fake.write("proc/20/cmdline", std::string_view("/opt/venv/bin/billing\0--port\0", 29));
  Selector s;
  s.name = "shop";
  EXPECT_EQ(find_target(fake.root(), s).value(), (Pids{10}));
  s.name = "billing";
  EXPECT_EQ(find_target(fake.root(), s).value(), (Pids{20}));
  s.name = "nothing";
  EXPECT_FALSE(find_target(fake.root(), s));
}

TEST(FindTarget, ACommandLineThatDidNotMatchIsReadAgainOnceTheProcessIsAnother) {
  FakeProc fake;
  const auto command = [&](Pid pid, const char* line) {
    fake.write("proc/" + std::to_string(pid) + "/cmdline", line);
  };
  for (const Pid pid : {20, 21}) fake.add({.pid = pid, .comm = "MainThread"});
  for (const Pid pid : {20, 21}) command(pid, "/usr/bin/python3");
  Selector s;
  s.name = "billing";
  TargetFinder finder(fake.root(), s);
  ProcessList list(fake.root());
  const auto find = [&] {
    EXPECT_TRUE(list.refresh(true));
    return finder.find(list);
  };
  EXPECT_FALSE(find());
  command(20, "/opt/billing");
  EXPECT_FALSE(find()) << "it was read, and is the same process by the same name";
  fake.add({.pid = 21, .comm = "thread-0"});
  command(21, "/opt/billing");
  EXPECT_EQ(find().value(), (Pids{21})) << "another name";
  fake.end(21);
  fake.add({.pid = 20, .comm = "MainThread", .start_ticks = 200});
  EXPECT_EQ(find().value(), (Pids{20})) << "another process by the same number";
}

TEST(FindTarget, ACommandLineThatChangesInPlaceIsFoundInTheEnd) {
  FakeProc fake;
  fake.add({.pid = 20, .comm = "MainThread"});
  fake.write("proc/20/cmdline", "/usr/bin/python3");
  Selector s;
  s.name = "billing";
  TargetFinder finder(fake.root(), s);
  ProcessList list(fake.root());
  ASSERT_TRUE(list.refresh(true));
  EXPECT_FALSE(finder.find(list));
  fake.write("proc/20/cmdline", "/opt/billing");
  bool found = false;
  for (int call = 0; call < 30 && !found; ++call) found = finder.find(list).is_ok();
  EXPECT_TRUE(found);
}

TEST(FindTarget, ByCgroupWithThoseInside) {
  FakeProc fake;
  for (const Pid pid : {10, 11, 12}) fake.add({.pid = pid});
  fake.write("sys/fs/cgroup/system.slice/shop.service/cgroup.procs", "10\n");
  fake.write("sys/fs/cgroup/system.slice/shop.service/worker/cgroup.procs", "11\n");
  Selector s;
  s.cgroup = "/system.slice/shop.service";
  EXPECT_EQ(find_target(fake.root(), s).value(), (Pids{10, 11}));
}

TEST(Commands, AreReadWithControlBytesReplaced) {
  FakeProc fake;
  fake.write("proc/10/cmdline", std::string_view("node\0server.js\0\x1b[1m\0", 20));
  Buffer buffer;
  EXPECT_EQ(read_cmdline(fake.root(), 10, buffer), "node server.js ?[1m");
  EXPECT_EQ(read_cmdline(fake.root(), 11, buffer), "");
}

TEST(Tasks, AreListedOnTheMachineItself) {
  const auto tasks = list_tasks(Root{}, ::getpid());
  ASSERT_FALSE(tasks.empty());
  Buffer buffer;
  const auto stat = read_stat(Root{}, ::getpid(), buffer);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ppid, ::getppid());
}

}  // namespace
}  // namespace plumb::proc
