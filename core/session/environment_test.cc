#include "core/session/environment.h"

#include <gtest/gtest.h>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::session {
namespace {

TEST(Environment, TellsOfTheMachine) {
  TemporaryDirectory root;
  root.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast One\nprocessor\t: 1\n");
  root.write("proc/meminfo", "MemTotal:       24682812 kB\nMemFree: 1 kB\n");
  const auto out = describe_environment({}, engine::Catalog::scan({}), root.path());
  EXPECT_EQ(out["processor"], "Fast One");
  EXPECT_EQ(out["memory_bytes"], 24682812LL * 1024);
  EXPECT_EQ(out["plumb"], version());
  EXPECT_TRUE(out.contains("kernel"));
}

TEST(Environment, WhatCannotBeReadIsLeftOut) {
  TemporaryDirectory root;
  root.write("proc/meminfo", "MemTotal: much\n");
  const auto out = describe_environment({}, engine::Catalog::scan({}), root.path());
  EXPECT_FALSE(out.contains("processor"));
  EXPECT_FALSE(out.contains("memory_bytes"));
}

}  // namespace
}  // namespace plumb::session
