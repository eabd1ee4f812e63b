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

}  // namespace
}  // namespace plumb::cli
