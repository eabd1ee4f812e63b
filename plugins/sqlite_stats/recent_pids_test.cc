#include "recent_pids.h"

#include <gtest/gtest.h>

#include "durations.h"

namespace plumb::sqlite_stats {
namespace {

TEST(RecentPidsTest, ProcessesAreForgottenAfterAWhileThoughNobodyAsks) {
  RecentPids pids;
  for (int32_t pid = 1; pid <= 100'000; ++pid) pids.note(pid * 100 * kMillisecond, pid);
  EXPECT_LE(pids.seen().size(), 51u) << "a reader every 100 ms, and nobody ever wrote";
}

TEST(RecentPidsTest, OfTooManyTheOneNotSeenForLongestGoes) {
  RecentPids pids;
  const auto most = static_cast<int32_t>(RecentPids::kMost);
  for (int32_t pid = 1; pid <= most; ++pid) pids.note(pid, pid);
  pids.note(most + 1, 1);
  pids.note(most + 2, 70'000);
  EXPECT_EQ(pids.seen().size(), RecentPids::kMost);
  EXPECT_TRUE(pids.seen().contains(1));
  EXPECT_TRUE(pids.seen().contains(70'000));
  EXPECT_FALSE(pids.seen().contains(2));
}

TEST(RecentPidsTest, ProcessOutsideThePidNamespaceIsNobody) {
  RecentPids pids;
  pids.note(1, 0);
  EXPECT_TRUE(pids.seen().empty());
}

}  // namespace
}  // namespace plumb::sqlite_stats
