#include "plugins/host_metrics/cpu_groups.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/recording_host.h"

namespace plumb::host_metrics {
namespace {

using Used = CpuGroups::Used;
using test_support::RecordingHost;

class CpuGroupsTest : public ::testing::Test {
 protected:
  void second(std::vector<Used> used, double target, double waited, double throttled = 0) {
    CpuGroups::Second s;
    s.length = 1;
    s.cpus = 2;
    s.used = used;
    s.target = target;
    s.waited = waited;
    s.throttled = throttled;
    s.runnable_threads = 1;
    groups_.add(s);
    groups_.emit(++time_ * 1'000'000'000, outlet_);
    outlet_.flush();
  }
  std::optional<double> last(const std::string& name, const std::string& group) {
    return host_.last(name + "{group=" + group + "}");
  }
  RecordingHost host_;
  Outlet outlet_{Host(host_.get())};
  CpuGroups groups_;
  int64_t time_ = 0;
};

TEST_F(CpuGroupsTest, WhoRunsWhileTheTargetWaitsIsToldFromWhoRunsWhileItDoesNot) {
  for (int i = 0; i < 5; ++i) {
    second({{"thief", 1.5}, {"steady", 0.3}}, 0.2, 0.9);
    second({{"quiet-time", 1.5}, {"steady", 0.3}}, 0.2, 0.1);
  }
  EXPECT_NEAR(last("host_group_overlap_processors", "thief").value(), 1.5 * 0.9, 1e-9);
  EXPECT_NEAR(last("host_group_overlap_processors", "quiet-time").value(), 1.5 * 0.1, 1e-9);
  EXPECT_NEAR(last("host_group_overlap_processors", "steady").value(), 0.3, 1e-9);
  // Of the 5 s waited, each second's is shared out in proportion to use.
  EXPECT_NEAR(last("target_runqueue_beside_seconds_total", "thief").value(), 5 * 0.9 * 0.75, 1e-9);
  double all = 0;
  for (const char* group : {"thief", "quiet-time", "steady", "target"}) {
    all += last("target_runqueue_beside_seconds_total", group).value();
  }
  EXPECT_NEAR(all, 5.0, 1e-9);
}

TEST_F(CpuGroupsTest, WhatTheQuotaHeldBackIsNobodyElses) {
  second({{"neighbour", 0.5}}, 0.5, 0.8, 0.6);
  EXPECT_NEAR(last("target_runqueue_beside_seconds_total", "quota").value(), 0.6, 1e-9);
  EXPECT_NEAR(last("target_runqueue_beside_seconds_total", "neighbour").value(), 0.1, 1e-9);
}

TEST_F(CpuGroupsTest, ThereAreAtMostTwelveLabelsAndNothingIsLost) {
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back("group-" + std::to_string(i));
  double used = 0;
  for (int s = 0; s < 5; ++s) {
    std::vector<Used> all{{"database", 0.01}, {"load", 0.01}, {"plumb", 0.01}, {"kernel", 0.01}};
    for (const auto& name : names) all.push_back({name, 0.06});
    for (const Used& u : all) used += u.seconds;
    second(all, 0.1, 0.5);
    used += 0.1;
  }
  double told = 0;
  size_t labels = 0;
  for (const auto& [key, points] : host_.points) {
    if (!key.starts_with("host_group_cpu_seconds_total")) continue;
    ++labels;
    told += points.back().value;
  }
  EXPECT_LE(labels, 12u);
  EXPECT_NEAR(told, used, 1e-9);
}

TEST_F(CpuGroupsTest, TheTableShowsTenGroupsAndTheTargetFromItsBeginningOn) {
  second({{"before", 1.9}}, 0.1, 0.5);
  groups_.begin_table();
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back("g" + std::to_string(i));
  std::vector<Used> all;
  for (int i = 0; i < 12; ++i) all.push_back({names[static_cast<size_t>(i)], 0.1 + 0.001 * i});
  second(all, 0.02, 0.5);
  const auto json = nlohmann::json::parse(groups_.table_json());
  ASSERT_EQ(json["rows"].size(), 11u);
  EXPECT_EQ(json["rows"][0][0], "g11");
  EXPECT_EQ(json["rows"][10][0], "target");
  EXPECT_NEAR(json["rows"][0][2].get<double>(), 0.111 / 2, 1e-3) << "of two processors";
  EXPECT_EQ(json["columns"].size(), json["rows"][0].size());
}

TEST_F(CpuGroupsTest, WithoutSchedulerStatisticsOnlyUseIsTold) {
  CpuGroups::Second s;
  s.length = 1;
  s.cpus = 2;
  s.target = 0.4;
  groups_.add(s);
  groups_.emit(1, outlet_);
  outlet_.flush();
  EXPECT_EQ(last("host_group_cpu_seconds_total", "target"), 0.4);
  EXPECT_FALSE(last("target_runqueue_beside_seconds_total", "target"));
}

}  // namespace
}  // namespace plumb::host_metrics
