#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/running_total.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::pg_stats {
namespace {

TEST(RunningTotal, FollowsTheServersCounter) {
  RunningTotal total;
  EXPECT_EQ(total.update(100), 100);
  EXPECT_EQ(total.update(130), 130);
}

TEST(RunningTotal, GoesOnWhenTheServerStartsAgainFromZero) {
  RunningTotal total;
  total.update(100);
  EXPECT_EQ(total.update(5), 105);
  EXPECT_EQ(total.update(7), 107);
}

TEST(RunningTotal, LeavesTheSamplersPartOutAndNeverFalls) {
  RunningTotal total;
  EXPECT_EQ(total.update(100, 0), 100);
  EXPECT_EQ(total.update(104, 12), 100) << "the server has not seen the sampler's part yet";
  EXPECT_EQ(total.update(120, 12), 108);
}

TEST(RunningTotal, StandsStillWhereAnotherServerTakesOver) {
  RunningTotal total;
  total.update(100);
  total.restart();
  EXPECT_EQ(total.update(1'000'000), 100) << "the other one's past is not this run's";
  EXPECT_EQ(total.update(1'000'007), 107);
  total.restart();
  EXPECT_EQ(total.update(3), 107) << "nor does it fall";
  EXPECT_EQ(total.update(5), 109);
}

TEST(RunningTotal, LeavesTheSamplersPartOutOnAnotherServer) {
  RunningTotal total;
  total.update(100, 10);
  total.restart();
  EXPECT_EQ(total.update(5000, 12), 90);
  EXPECT_EQ(total.update(5006, 15), 93);
}

class BackendsOnThisMachine : public testing::Test {
 protected:
  void used(int pid, uint64_t run_ns, uint64_t wait_ns) { proc_.thread(pid, pid, run_ns, wait_ns); }
  void runs(int pid, const std::string& comm, const std::string& title) {
    proc_.add({.pid = pid, .comm = comm});
    proc_.write("proc/" + std::to_string(pid) + "/cmdline", title);
  }
  proc::FakeProc proc_;
  BackendTimes times_{proc_.root()};
};

TEST_F(BackendsOnThisMachine, TotalsLeaveOutThePastAndNeverFallAsBackendsComeAndGo) {
  used(1, 5'000'000'000, 1'000'000'000);
  times_.update(std::vector<int>{1});
  EXPECT_EQ(times_.cpu_seconds(), 0);
  used(1, 6'000'000'000, 1'500'000'000);
  used(2, 250'000'000, 0);
  times_.update(std::vector<int>{1, 2});
  EXPECT_DOUBLE_EQ(times_.cpu_seconds(), 1.25) << "one that came later counts from its birth";
  EXPECT_DOUBLE_EQ(times_.runqueue_seconds(), 0.5);
  proc_.end(1);
  used(2, 500'000'000, 0);
  times_.update(std::vector<int>{1, 2});
  EXPECT_DOUBLE_EQ(times_.cpu_seconds(), 1.5) << "one that ended keeps what was seen";
}

TEST_F(BackendsOnThisMachine, APidGivenToANewBackendCountsFromItsBirth) {
  used(1, 5'000'000'000, 4'000'000'000);
  times_.update(std::vector<int>{1});
  used(1, 100'000'000, 300'000'000);
  times_.update(std::vector<int>{1});
  EXPECT_DOUBLE_EQ(times_.cpu_seconds(), 0.1);
  EXPECT_DOUBLE_EQ(times_.runqueue_seconds(), 0.3);
}

TEST_F(BackendsOnThisMachine, AnotherServersPastIsLeftOut) {
  used(1, 1'000'000'000, 0);
  times_.update(std::vector<int>{1});
  used(1, 3'000'000'000, 0);
  times_.update(std::vector<int>{1});
  times_.restart();
  used(2, 900'000'000'000, 70'000'000'000);
  times_.update(std::vector<int>{2});
  EXPECT_DOUBLE_EQ(times_.cpu_seconds(), 2);
  EXPECT_DOUBLE_EQ(times_.runqueue_seconds(), 0);
  used(2, 901'000'000'000, 70'000'000'000);
  times_.update(std::vector<int>{2});
  EXPECT_DOUBLE_EQ(times_.cpu_seconds(), 3);
}

TEST_F(BackendsOnThisMachine, OnlyABackendOfTheDatabaseIsTakenForLocal) {
  runs(1, "postgres", "postgres: app shop 127.0.0.1(40000) idle");
  runs(2, "postgres", "postgres: app other [local] idle");
  runs(3, "bash", "bash");
  runs(4, "postgres", std::string("/usr/lib/postgresql/15/bin/postgres\0-D\0", 39));
  BackendProcesses processes(proc_.root());
  EXPECT_TRUE(processes.is_backend_of(1, "shop"));
  EXPECT_FALSE(processes.is_backend_of(2, "shop"));
  EXPECT_FALSE(processes.is_backend_of(3, "shop"));
  EXPECT_TRUE(processes.is_backend_of(4, "shop"));
  EXPECT_FALSE(processes.is_backend_of(5, "shop"));
}

}  // namespace
}  // namespace plumb::pg_stats
