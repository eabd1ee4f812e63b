#include "plugins/host_metrics/process_survey.h"

#include <gtest/gtest.h>

#include <numeric>

#include "plugins/host_metrics/own_descriptors.h"
#include "plugins/proc/fake_proc.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using proc::Pid;

class ProcessSurveyTest : public ::testing::Test {
 protected:
  // A second in which the machine used so many ticks, none of them the target's.
  void second(uint64_t busy, std::vector<Pid> target = {}, std::vector<Pid> database = {}) {
    ASSERT_TRUE(list_.refresh(false));
    Roles roles;
    roles.target = std::move(target);
    roles.database = std::move(database);
    survey_.update(list_, roles, {.busy_ticks = busy, .target_ticks = 0, .born_since_ticks = 9000});
    for (size_t i = 0; i < survey_.names().size(); ++i) {
      used_[survey_.names()[i]] += survey_.growth()[i];
    }
  }
  FakeProc fake_;
  proc::ProcessList list_{fake_.root()};
  ProcessSurvey survey_{fake_.root()};
  std::map<std::string, uint64_t> used_;
};

TEST_F(ProcessSurveyTest, CountsByServiceElseByName) {
  fake_.add({.pid = 20, .comm = "python3", .user_ticks = 500});
  fake_.write("proc/20/cgroup", "0::/system.slice/backup.service\n");
  fake_.add({.pid = 21, .comm = "stress", .user_ticks = 900});
  fake_.write("proc/21/cgroup", "0::/user.slice/user-0.slice/session-1.scope\n");
  fake_.add({.pid = 22, .ppid = 2, .comm = "kworker/0:1"});
  second(0);
  fake_.add({.pid = 20, .comm = "python3", .user_ticks = 530});
  fake_.add({.pid = 21, .comm = "stress", .user_ticks = 950});
  fake_.add({.pid = 22, .ppid = 2, .comm = "kworker/0:1", .system_ticks = 7});
  second(87);
  EXPECT_EQ(used_["backup.service"], 30u);
  EXPECT_EQ(used_["stress"], 50u);
  EXPECT_EQ(used_["kernel"], 7u);
}

TEST_F(ProcessSurveyTest, IdleProcessesAreHardlyEverRead) {
  for (Pid pid = 100; pid < 200; ++pid) fake_.add({.pid = pid});
  for (int i = 0; i < 8; ++i) second(0);
  const uint64_t before = survey_.reads();
  for (int i = 0; i < 64; ++i) second(1);
  EXPECT_LE(survey_.reads() - before, 3u * 100) << "100 processes over 64 updates";
}

TEST_F(ProcessSurveyTest, AnIdleProcessThatBeginsToRunIsFoundAtOnce) {
  for (Pid pid = 100; pid < 200; ++pid) fake_.add({.pid = pid});
  for (int i = 0; i < 20; ++i) second(0);
  fake_.add({.pid = 150, .comm = "late", .user_ticks = 90});
  second(95);
  EXPECT_EQ(used_["late"], 90u);
}

TEST_F(ProcessSurveyTest, WhatIsNobodysDoesNotMakeItReadEverybodyEverySecond) {
  for (Pid pid = 100; pid < 200; ++pid) fake_.add({.pid = pid});
  for (int i = 0; i < 20; ++i) second(0);
  const uint64_t before = survey_.reads();
  for (int i = 0; i < 60; ++i) second(100);  // by processes that are gone before they are seen
  EXPECT_LE(survey_.reads() - before, 8u * 100);
}

TEST_F(ProcessSurveyTest, ChildrenThatCameAndWentAreCountedThroughTheirParentOnce) {
  fake_.add({.pid = 30, .comm = "make"});
  fake_.add({.pid = 31, .ppid = 30, .comm = "cc"});
  second(0);
  fake_.add({.pid = 31, .ppid = 30, .comm = "cc", .user_ticks = 40});
  second(40);
  // It used 10 more and ended, as did one that nobody saw and used 25.
  fake_.end(31);
  fake_.add({.pid = 30, .comm = "make", .user_ticks = 1, .reaped_user_ticks = 75});
  second(36);
  second(0);
  EXPECT_EQ(used_["cc"], 40u);
  EXPECT_EQ(used_["make"], 36u);
}

TEST_F(ProcessSurveyTest, AChildThatEndsWithItsParentIsTakenOverByTheOneAbove) {
  fake_.add({.pid = 30, .comm = "make"});
  fake_.add({.pid = 31, .ppid = 30, .comm = "gcc"});
  fake_.add({.pid = 32, .ppid = 31, .comm = "cc1", .user_ticks = 2000});
  second(0);
  fake_.add({.pid = 32, .ppid = 31, .comm = "cc1", .user_ticks = 2040});
  second(40);
  fake_.end(31);
  fake_.end(32);
  fake_.add({.pid = 30, .comm = "make", .reaped_user_ticks = 2045});
  second(5000);
  second(5000);
  EXPECT_EQ(used_["cc1"], 40u);
  EXPECT_EQ(used_["make"], 5u);
}

TEST_F(ProcessSurveyTest, WhatAStrangerReapsIsNoMoreThanTheMachineUsed) {
  fake_.add({.pid = 1, .ppid = 0, .comm = "init"});
  second(0);
  fake_.add({.pid = 1, .ppid = 0, .comm = "init", .reaped_user_ticks = 90000});
  second(50);
  EXPECT_LE(used_["init"], 54u);
}

TEST_F(ProcessSurveyTest, TheTargetAndItsEndAreNotItsParentsDoing) {
  fake_.add({.pid = 40, .comm = "bash"});
  fake_.add({.pid = 41, .ppid = 40, .comm = "shop"});
  second(0, {41});
  fake_.add({.pid = 41, .ppid = 40, .comm = "shop", .user_ticks = 300});
  list_.note(*proc::parse_stat(
      proc::FakeProcess{.pid = 41, .ppid = 40, .comm = "shop", .user_ticks = 300}.stat()));
  second(0, {41});
  fake_.end(41);
  fake_.add({.pid = 40, .comm = "bash", .reaped_user_ticks = 300});
  second(0);
  second(0);
  EXPECT_EQ(std::accumulate(used_.begin(), used_.end(), uint64_t{0},
                            [](uint64_t sum, const auto& e) { return sum + e.second; }),
            0u);
}

TEST_F(ProcessSurveyTest, DatabasesKeepATotalOfTheirOwn) {
  fake_.add({.pid = 70, .comm = "postgres", .user_ticks = 1000});
  second(0, {}, {70});
  fake_.add({.pid = 70, .comm = "postgres", .user_ticks = 1015});
  second(15, {}, {70});
  EXPECT_EQ(survey_.database_ticks(), 15u);
  EXPECT_EQ(used_["database"], 15u);
}

TEST_F(ProcessSurveyTest, WhoRunsStaysOpenHoweverManyPidsWereGivenOutAnew) {
  uint64_t ticks = 0;
  uint64_t start = 9000;
  fake_.add({.pid = 20, .start_ticks = start});
  second(0);
  for (int i = 0; i < 140; ++i) {
    fake_.add({.pid = 20, .user_ticks = ticks += 5, .start_ticks = start});
    second(5);
    // The same pid, seen to be another process only when it is read.
    fake_.add({.pid = 20, .user_ticks = ticks = 1, .start_ticks = ++start});
    second(1);
  }
  const size_t before = own_descriptors();
  fake_.add({.pid = 20, .user_ticks = ticks + 5, .start_ticks = start});
  second(5);
  EXPECT_EQ(own_descriptors(), before + 1);
}

TEST_F(ProcessSurveyTest, NamesThatAreNoTextAreMadePrintable) {
  fake_.add({.pid = 20, .comm = "a\x01\xff"});
  second(0);
  fake_.add({.pid = 20, .comm = "a\x01\xff", .user_ticks = 9});
  second(9);
  EXPECT_EQ(used_["a??"], 9u);
}

}  // namespace
}  // namespace plumb::host_metrics
