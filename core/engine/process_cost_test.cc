#include "core/engine/process_cost.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStat =
    "4711 (a )(b c) S 1 4711 4711 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 5 0 100 200 300\n";

class ProcessCostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/plumb-proc-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    proc_ = name;
    fs::create_directory(proc_ / "4711");
  }
  void TearDown() override { fs::remove_all(proc_); }
  void write(const char* file, const char* text) { std::ofstream(proc_ / "4711" / file) << text; }
  fs::path proc_;
};

TEST_F(ProcessCostTest, CountsFieldsFromTheLastParenthesis) {
  EXPECT_EQ(cpu_seconds_of_stat(kStat, 100), 2.0);
}

TEST_F(ProcessCostTest, AProcessIsRunnableWhenAnyOfItsThreadsIs) {
  EXPECT_FALSE(is_runnable(4711, proc_)) << "it is not there";
  fs::create_directories(proc_ / "4711/task/4711");
  fs::create_directories(proc_ / "4711/task/4712");
  write("task/4711/stat", kStat);
  write("task/4712/stat", "4712 (S) R) D 1 4711\n");
  EXPECT_FALSE(is_runnable(4711, proc_));
  write("task/4712/stat", "4712 (S) D) R 1 4711\n");
  EXPECT_TRUE(is_runnable(4711, proc_));
}

TEST_F(ProcessCostTest, TornTextGivesNothing) {
  EXPECT_FALSE(cpu_seconds_of_stat("", 100));
  EXPECT_FALSE(cpu_seconds_of_stat("4711 (x", 100));
  EXPECT_FALSE(cpu_seconds_of_stat("4711 (x) S 1 2 3", 100));
  EXPECT_FALSE(cpu_seconds_of_stat("4711 (x) S 1 2 3 4 5 6 7 8 9 10 11 user", 100));
}

TEST_F(ProcessCostTest, PrefersTheProportionalSize) {
  write("stat", kStat);
  write("smaps_rollup", "5-7 ---p 0 0 [rollup]\nRss: 900 kB\nPss:   300 kB\nPss_Dirty: 1 kB\n");
  write("status", "VmRSS:\t 900 kB\n");
  EXPECT_EQ(read_memory_bytes(4711, proc_), 300.0 * 1024);
  EXPECT_TRUE(read_cpu_seconds(4711, proc_));
}

TEST_F(ProcessCostTest, FallsBackToTheResidentSize) {
  write("stat", kStat);
  write("status", "Name:\tx\nVmRSS:\t 900 kB\n");
  EXPECT_EQ(read_memory_bytes(4711, proc_), 900.0 * 1024);
}

TEST_F(ProcessCostTest, AProcessThatIsGoneGivesNothing) {
  EXPECT_FALSE(read_cpu_seconds(4712, proc_));
  EXPECT_FALSE(read_memory_bytes(4712, proc_));
}

TEST_F(ProcessCostTest, ReadsTheRealThing) {
  EXPECT_GT(read_memory_bytes(::getpid(), "/proc").value_or(0), 100'000);
  EXPECT_TRUE(read_cpu_seconds(::getpid(), "/proc"));
}

}  // namespace
}  // namespace plumb::engine
