#include "plugins/http_load/self_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace plumb::http_load {
namespace {

namespace fs = std::filesystem;

class SelfUsageTest : public testing::Test {
 protected:
  SelfUsageTest()
      : root_(fs::temp_directory_path() / ("plumb_self_usage_" + std::to_string(getpid()))) {
    fs::create_directories(root_);
  }
  ~SelfUsageTest() override { fs::remove_all(root_); }
  void thread(const std::string& id, const std::string& schedstat) {
    fs::create_directories(root_ / id);
    std::ofstream(root_ / id / "schedstat") << schedstat;
  }
  fs::path root_;
};

TEST_F(SelfUsageTest, AddsTheRunQueueTimeOfAllThreads) {
  thread("10", "5000000000 2000000000 7\n");
  thread("11", "1 500000000 1\n");
  SelfUsage usage(root_.string());
  EXPECT_DOUBLE_EQ(usage.runqueue_seconds().value(), 2.5);
}

TEST_F(SelfUsageTest, KeepsWhatEndedThreadsWaited) {
  thread("10", "0 1000000000 7\n");
  thread("11", "0 3000000000 7\n");
  SelfUsage usage(root_.string());
  EXPECT_DOUBLE_EQ(usage.runqueue_seconds().value(), 4);
  fs::remove_all(root_ / "11");
  thread("10", "0 1500000000 7\n");
  EXPECT_DOUBLE_EQ(usage.runqueue_seconds().value(), 4.5);
  thread("11", "0 250000000 1\n");
  EXPECT_DOUBLE_EQ(usage.runqueue_seconds().value(), 4.75);
}

TEST_F(SelfUsageTest, IsUnknownWithoutSchedstat) {
  EXPECT_FALSE(SelfUsage(root_.string()).runqueue_seconds().has_value());
  EXPECT_FALSE(SelfUsage((root_ / "absent").string()).runqueue_seconds().has_value());
  thread("10", "torn");
  EXPECT_FALSE(SelfUsage(root_.string()).runqueue_seconds().has_value());
}

TEST_F(SelfUsageTest, ReadsThisProcess) {
  SelfUsage usage;
  EXPECT_GT(usage.cpu_seconds(), 0);
}

TEST_F(SelfUsageTest, FindsWhatAQuotaHeldBackInItsCgroupOrAboveIt) {
  fs::create_directories(root_ / "slice" / "unit");
  std::ofstream(root_ / "slice" / "unit" / "cpu.stat") << "usage_usec 5\nnr_periods 0\n"
                                                          "nr_throttled 0\nthrottled_usec 0\n";
  const SelfUsage usage("/none", (root_ / "slice" / "unit").string());
  EXPECT_FALSE(usage.throttled_seconds().has_value()) << "no quota has had a period";
  std::ofstream(root_ / "slice" / "cpu.stat") << "nr_periods 10\nthrottled_usec 1500000\n";
  EXPECT_DOUBLE_EQ(usage.throttled_seconds().value(), 1.5);
  std::ofstream(root_ / "slice" / "unit" / "cpu.stat") << "nr_periods 10\nnr_throttled 9\n"
                                                          "throttled_time 2500000000\n";
  EXPECT_DOUBLE_EQ(usage.throttled_seconds().value(), 2.5);
}

}  // namespace
}  // namespace plumb::http_load
