// Programs in the inspector's place that do what it must not.
#include "inspector.h"

#include <gmock/gmock.h>

#include "child.h"
#include "fake_files.h"

namespace plumb::sqlite_stats {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMilli = 1'000'000;

class InspectorTest : public testing::Test {
 protected:
  Inspector& program(const std::string& script) {
    const std::string path = directory_ / "program";
    write_file(path, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    inspector_.emplace(path, "");
    return *inspector_;
  }
  static Result<Inspection> result_of(Inspector& inspector) {
    const int64_t begun = monotonic_ns();
    while (monotonic_ns() - begun < 20'000 * kMilli) {
      if (auto found = inspector.poll(monotonic_ns())) return std::move(*found);
      inspector.wait(100 * kMilli);
    }
    return Status::internal("it never ended");
  }
  TemporaryDirectory directory_;
  std::optional<Inspector> inspector_;
};

TEST_F(InspectorTest, WhatItPrintsIsRead) {
  Inspector& inspector = program("echo '{\"format\": 1, \"refused\": \"no\"}'\n");
  ASSERT_TRUE(inspector.start("x.db", monotonic_ns(), 1'000 * kMilli).is_ok());
  const auto found = result_of(inspector);
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  EXPECT_EQ(found->refused, "no");
  EXPECT_FALSE(inspector.is_running());
}

TEST_F(InspectorTest, ProgramThatHangsIsEndedAfterItsTime) {
  Inspector& inspector = program("exec sleep 60\n");
  const int64_t begun = monotonic_ns();
  ASSERT_TRUE(inspector.start("x.db", begun, 100 * kMilli).is_ok());
  EXPECT_FALSE(inspector.poll(begun + 590 * kMilli)) << "it has a little longer than its budget";
  const auto found = inspector.poll(begun + 610 * kMilli);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->status().message(), HasSubstr("took too long"));
  EXPECT_FALSE(inspector.is_running());
}

TEST_F(InspectorTest, FloodsAreCutOff) {
  Inspector& inspector = program("exec yes\n");
  ASSERT_TRUE(inspector.start("x.db", monotonic_ns(), 10'000 * kMilli).is_ok());
  EXPECT_THAT(result_of(inspector).status().message(), HasSubstr("more than 1 MiB"));
}

TEST_F(InspectorTest, FailuresSayHowItEnded) {
  ASSERT_TRUE(program("exit 3\n").start("x.db", monotonic_ns(), 1'000 * kMilli).is_ok());
  EXPECT_THAT(result_of(*inspector_).status().message(), HasSubstr("exit code 3"));
  ASSERT_TRUE(program("kill -SEGV $$\n").start("x.db", monotonic_ns(), 1'000 * kMilli).is_ok());
  EXPECT_THAT(result_of(*inspector_).status().message(), HasSubstr("ended by"));
  ASSERT_TRUE(program("echo nonsense\n").start("x.db", monotonic_ns(), 1'000 * kMilli).is_ok());
  EXPECT_THAT(result_of(*inspector_).status().message(), HasSubstr("no JSON"));
  Inspector missing(directory_ / "missing", "");
  EXPECT_THAT(missing.start("x.db", monotonic_ns(), 1'000 * kMilli).message(),
              HasSubstr("cannot start"));
}

TEST_F(InspectorTest, NothingOfOursIsHandedOn) {
  ::setenv("DATABASE_PASSWORD", "hush", 1);
  const Descriptor secret = Descriptor::open("/dev/null");
  Inspector& inspector = program(
      "n=$(ls /proc/self/fd | wc -l)\n"
      "echo \"{\\\"format\\\": 1, \\\"refused\\\": \\\"$n $DATABASE_PASSWORD\\\"}\"\n");
  ASSERT_TRUE(inspector.start("x.db", monotonic_ns(), 2'000 * kMilli).is_ok());
  const auto found = result_of(inspector);
  ::unsetenv("DATABASE_PASSWORD");
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  // 0, 1, 2 and the directory that ls reads.
  EXPECT_EQ(found->refused, "4 ");
}

}  // namespace
}  // namespace plumb::sqlite_stats
