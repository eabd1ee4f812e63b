#include "core/cli/doctor.h"

#include <gtest/gtest.h>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::cli {
namespace {

const Check& named(const std::vector<Check>& checks, std::string_view name) {
  for (const Check& check : checks)
    if (check.name == name) return check;
  static const Check none;
  return none;
}

TEST(Doctor, AMachineThatShowsEverythingIsOk) {
  TemporaryDirectory root;
  root.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  root.write("proc/self/schedstat", "12345 678 9\n");
  root.write("proc/pressure/cpu", "some avg10=0.00\n");
  root.write("proc/sys/kernel/task_delayacct", "1\n");
  root.write("proc/sys/kernel/yama/ptrace_scope", "0\n");
  root.write("proc/sys/kernel/perf_event_paranoid", "-1\n");
  for (const Check& check : check_kernel(root.path())) {
    EXPECT_EQ(check.state, CheckState::kOk) << check.name;
    EXPECT_TRUE(check.fix.empty()) << check.name;
  }
}

TEST(Doctor, WhatIsMissingComesWithItsCure) {
  TemporaryDirectory root;
  root.write("proc/sys/kernel/osrelease", "4.19.0\n");
  root.write("proc/self/schedstat", "0 0 12\n");
  root.write("proc/sys/kernel/task_delayacct", "0\n");
  const auto checks = check_kernel(root.path());
  for (const char* name : {"kernel", "run-queue delay (schedstat)", "pressure stall information",
                           "delay accounting", "stack profiles (perf events)"}) {
    EXPECT_EQ(named(checks, name).state, CheckState::kMissing) << name;
    EXPECT_FALSE(named(checks, name).fix.empty()) << name;
  }
}

TEST(Doctor, WithoutPluginsPlumbCannotRun) {
  TemporaryDirectory empty;
  const auto checks =
      check_installation(engine::Catalog::scan({empty.path()}), empty.path() / "a" / "b");
  EXPECT_EQ(named(checks, "plugins").state, CheckState::kBroken);
  EXPECT_NE(named(checks, "plugins").fix.find(empty.path().string()), std::string::npos);
  EXPECT_EQ(named(checks, "run directory").state, CheckState::kOk);
}

TEST(Doctor, WhatAPluginMissesIsToldWithItsRemedy) {
  engine::Examination examination;
  examination.plugins = {
      {"pg_stats", PLUMB_ROLE_SAMPLER, Status::ok(), PLUMB_HEALTH_DEGRADED, "grant pg_monitor"},
      {"host_metrics", PLUMB_ROLE_SAMPLER, Status::ok()},
      {"http_load", PLUMB_ROLE_LOAD, Status::invalid_argument("no such template")}};
  examination.tables = {
      {"pg_stats", 0, "pg_missing",
       R"({"columns":[{"key":"a"},{"key":"b"},{"key":"c"}],"rows":[["I/O times","off","SET x"]]})"},
      {"pg_stats", 0, "pg_settings", R"({"columns":[{"key":"a"}],"rows":[["fsync"]]})"},
      {"host_metrics", 0, "host_missing", "no JSON"}};
  const std::vector<Check> checks = check_plan(examination);
  EXPECT_EQ(named(checks, "target").state, CheckState::kOk);
  EXPECT_EQ(named(checks, "plugin pg_stats").fix, "grant pg_monitor");
  EXPECT_EQ(named(checks, "pg_stats: I/O times").fix, "SET x");
  EXPECT_EQ(named(checks, "plugin host_metrics").state, CheckState::kOk);
  EXPECT_EQ(named(checks, "plugin http_load").state, CheckState::kBroken);
  EXPECT_EQ(checks.size(), 5u);
}

TEST(Doctor, ARemedyIsGivenOnce) {
  engine::Examination examination;
  examination.plugins = {{"pg_stats", PLUMB_ROLE_SAMPLER, Status::ok(), PLUMB_HEALTH_DEGRADED,
                          "not seen: statements, since none is loaded: load it"}};
  examination.tables = {{"pg_stats", 0, "pg_missing",
                         R"({"rows":[["statements","none is loaded","load it"],
                                     ["I/O times","off","SET x"]]})"}};
  const std::vector<Check> checks = check_plan(examination);
  EXPECT_EQ(checks.size(), 3u);
  EXPECT_EQ(named(checks, "pg_stats: statements").fix, "");
  EXPECT_EQ(named(checks, "pg_stats: I/O times").fix, "SET x");
}

TEST(Doctor, ATargetThatDoesNotAnswerIsBroken) {
  engine::Examination examination;
  examination.target = Status::unavailable("nothing listens on port 1");
  EXPECT_EQ(check_plan(examination)[0].state, CheckState::kBroken);
  EXPECT_EQ(check_plan(examination)[0].fix, "nothing listens on port 1");
}

}  // namespace
}  // namespace plumb::cli
