#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/running_total.h"

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

class FakeProc : public testing::Test {
 protected:
  FakeProc() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb-proc-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~FakeProc() override { std::filesystem::remove_all(root_); }
  void write(int pid, const std::string& file, const std::string& text) {
    const auto directory = root_ / std::to_string(pid);
    std::filesystem::create_directories(directory);
    std::ofstream(directory / file, std::ios::binary) << text;
  }
  ProcTree proc() const { return ProcTree(root_.string()); }
  std::filesystem::path root_;
};

TEST_F(FakeProc, SchedstatIsReadAndTornOrMissingOnesAreNot) {
  write(1, "schedstat", "1500000000 250000000 77\n");
  write(2, "schedstat", "15000");
  write(3, "schedstat", "");
  ASSERT_TRUE(proc().sched_times(1));
  EXPECT_EQ(proc().sched_times(1)->cpu_ns, 1500000000u);
  EXPECT_EQ(proc().sched_times(1)->runqueue_ns, 250000000u);
  EXPECT_FALSE(proc().sched_times(2));
  EXPECT_FALSE(proc().sched_times(3));
  EXPECT_FALSE(proc().sched_times(4));
}

TEST_F(FakeProc, TotalsLeaveOutThePastAndNeverFallAsBackendsComeAndGo) {
  BackendTimes times;
  write(1, "schedstat", "5000000000 1000000000 1\n");
  times.update(proc(), std::vector<int>{1});
  EXPECT_EQ(times.cpu_seconds(), 0);
  write(1, "schedstat", "6000000000 1500000000 2\n");
  write(2, "schedstat", "250000000 0 1\n");
  times.update(proc(), std::vector<int>{1, 2});
  EXPECT_DOUBLE_EQ(times.cpu_seconds(), 1.25) << "one that came later counts from its birth";
  EXPECT_DOUBLE_EQ(times.runqueue_seconds(), 0.5);
  std::filesystem::remove_all(root_ / "1");
  write(2, "schedstat", "500000000 0 1\n");
  times.update(proc(), std::vector<int>{1, 2});
  EXPECT_DOUBLE_EQ(times.cpu_seconds(), 1.5) << "one that ended keeps what was seen";
}

TEST_F(FakeProc, APidGivenToANewBackendCountsFromItsBirth) {
  BackendTimes times;
  write(1, "schedstat", "5000000000 4000000000 1\n");
  times.update(proc(), std::vector<int>{1});
  write(1, "schedstat", "100000000 300000000 1\n");
  times.update(proc(), std::vector<int>{1});
  EXPECT_DOUBLE_EQ(times.cpu_seconds(), 0.1);
  EXPECT_DOUBLE_EQ(times.runqueue_seconds(), 0.3);
}

TEST_F(FakeProc, OnlyABackendOfTheDatabaseIsTakenForLocal) {
  write(1, "comm", "postgres\n");
  write(1, "cmdline", "postgres: app shop 127.0.0.1(40000) idle");
  write(2, "comm", "postgres\n");
  write(2, "cmdline", "postgres: app other [local] idle");
  write(3, "comm", "bash\n");
  write(4, "comm", "postgres\n");
  write(4, "cmdline", std::string("/usr/lib/postgresql/15/bin/postgres\0-D\0", 39));
  EXPECT_TRUE(proc().is_backend_of(1, "shop"));
  EXPECT_FALSE(proc().is_backend_of(2, "shop"));
  EXPECT_FALSE(proc().is_backend_of(3, "shop"));
  EXPECT_TRUE(proc().is_backend_of(4, "shop"));
  EXPECT_FALSE(proc().is_backend_of(5, "shop"));
}

}  // namespace
}  // namespace plumb::pg_stats
