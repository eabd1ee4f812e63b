#include "plugins/pg_stats/blocking.h"

#include <gtest/gtest.h>

namespace plumb::pg_stats {
namespace {

LockSession session(int pid, std::vector<int> blocked_by, std::string state = "active") {
  LockSession s;
  s.pid = pid;
  s.blocked_by = std::move(blocked_by);
  s.application = "orders";
  s.state = std::move(state);
  s.query = "UPDATE t SET a = 1 WHERE id = " + std::to_string(pid);
  return s;
}

TEST(RootsOf, AChainIsHeldByItsHead) {
  const auto roots = roots_of({session(1, {}, "idle in transaction"), session(2, {1}),
                               session(3, {2}), session(4, {3, 2})});
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0].session.pid, 1);
  EXPECT_EQ(roots[0].session.state, "idle in transaction");
  EXPECT_DOUBLE_EQ(roots[0].victims, 3);
}

TEST(RootsOf, AVictimOfTwoRootsCountsHalfForEach) {
  const auto roots =
      roots_of({session(1, {}), session(2, {}), session(3, {1, 2}), session(4, {1})});
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_DOUBLE_EQ(roots[0].victims, 1.5);
  EXPECT_DOUBLE_EQ(roots[1].victims, 0.5);
}

TEST(RootsOf, ACircleHasItsLowestPidAsRoot) {
  const auto roots = roots_of({session(7, {5}), session(5, {7}), session(9, {7})});
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0].session.pid, 5);
  EXPECT_DOUBLE_EQ(roots[0].victims, 3);
}

TEST(RootsOf, WaitersForACircleAreNotTheirOwnRoots) {
  const auto roots = roots_of({session(7, {5}), session(5, {7}), session(3, {7})});
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0].session.pid, 5);
}

TEST(RootsOf, AQueueOfThousandsIsAddedUpOnce) {
  std::vector<LockSession> sessions = {session(1, {})};
  std::vector<int> ahead = {1};
  for (int pid = 2; pid <= 3001; ++pid) {
    sessions.push_back(session(pid, ahead));
    sessions.back().lock = "ExclusiveLock";
    ahead.push_back(pid);
  }
  const auto roots = roots_of(sessions);
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_DOUBLE_EQ(roots[0].victims, 3000);
  EXPECT_EQ(roots[0].wanted, "ExclusiveLock");
}

TEST(RootsOf, ABlockerNobodyKnowsIsNamedByItsPid) {
  const auto roots = roots_of({session(2, {0}), session(3, {77})});
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_EQ(roots[0].session.state, "prepared transaction");
  EXPECT_EQ(roots[1].session.pid, 77);
}

TEST(RootsOf, NobodyWaitingMeansNoRoots) {
  EXPECT_TRUE(roots_of({session(1, {}), session(2, {})}).empty());
}

TEST(RootsOf, TellsHowDeepTheTreeIsAndWhatIsWantedMost) {
  auto wants = [](LockSession s, const char* lock, const char* table) {
    s.lock = lock;
    s.table = table;
    return s;
  };
  const auto roots = roots_of({session(1, {}), wants(session(2, {1}), "ShareLock", "accounts"),
                               wants(session(3, {2}), "ExclusiveLock", "accounts"),
                               wants(session(4, {3}), "ExclusiveLock", "accounts"),
                               wants(session(5, {1}), "RowExclusiveLock", "")});
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0].depth, 3);
  EXPECT_EQ(roots[0].wanted, "ExclusiveLock on accounts");
}

TEST(BlockingLedger, KeepsTheClientThatHeldOthersUpLongest) {
  LockSession first = session(1, {});
  first.client = "10.0.0.7:40000";
  LockSession second = session(2, {});
  second.client = "10.0.0.8:40001";
  BlockingLedger ledger;
  ledger.observe({{first, 1, 1, "ShareLock on a"}});
  ledger.add(1, 5);
  ledger.observe({{second, 9, 4, "ExclusiveLock on b"}});
  ledger.add(9, 0.1);
  const auto lines = ledger.lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].client, "10.0.0.7:40000");
  EXPECT_EQ(lines[0].depth, 4);
  EXPECT_EQ(lines[0].wanted, "ShareLock on a");
}

TEST(BlockingLedger, SharesWaitedSecondsByVictims) {
  BlockingLedger ledger;
  ledger.observe({{session(1, {}, "idle in transaction"), 3}, {session(2, {}), 1}});
  ledger.add(4, 0.5);
  const auto lines = ledger.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].pid, 1);
  EXPECT_DOUBLE_EQ(lines[0].seconds, 1.5);
  EXPECT_DOUBLE_EQ(lines[1].seconds, 0.5);
}

TEST(BlockingLedger, AHotRowHandedFromConnectionToConnectionIsOneLine) {
  BlockingLedger ledger;
  ledger.observe({{session(1, {}), 5}});
  ledger.add(5, 0.1);
  ledger.observe({{session(2, {}), 7}});
  ledger.add(7, 0.1);
  const auto lines = ledger.lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].pid, 2) << "the one that held the others up longest";
  EXPECT_EQ(lines[0].pids.size(), 2u);
  EXPECT_EQ(lines[0].query, "UPDATE t SET a = ? WHERE id = ?");
  EXPECT_DOUBLE_EQ(lines[0].victims, 7);
  EXPECT_DOUBLE_EQ(lines[0].seconds, 1.2);
}

TEST(BlockingLedger, WaitsBeforeAnyRootIsKnownAreNobodys) {
  BlockingLedger ledger;
  ledger.add(5, 1);
  EXPECT_TRUE(ledger.lines().empty());
}

}  // namespace
}  // namespace plumb::pg_stats
