#include "core/engine/plugin_watch.h"

#include <gtest/gtest.h>

#include "core/host/protocol.h"

namespace plumb::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kSecond = 1'000'000'000;

TEST(PluginWatchTest, ASilentProcessHasHung) {
  PluginWatch watch({}, 10 * kSecond);
  EXPECT_FALSE(watch.hung(20 * kSecond));
  EXPECT_EQ(watch.hung(20 * kSecond + 100'000'000), "its process has been silent for 10.1 s");
  watch.beat("", 0, 20 * kSecond + 200'000'000);
  EXPECT_FALSE(watch.hung(30 * kSecond));
}

TEST(PluginWatchTest, SeveralHeartbeatsMayStayAwayOnAStarvedMachine) {
  EXPECT_GE(WatchLimits{}.heartbeat.count(), 5 * host::kHeartbeatNs);
}

TEST(PluginWatchTest, ACollectMayTakeTwoSecondsOrFiveIntervals) {
  PluginWatch watch({}, kSecond);
  watch.set_interval(milliseconds(100));
  watch.beat("collect", 10 * kSecond, 12 * kSecond);
  EXPECT_FALSE(watch.hung(12 * kSecond));
  watch.beat("collect", 10 * kSecond, 12 * kSecond + 1);
  EXPECT_EQ(watch.hung(12 * kSecond + 1), "collect did not return within 2.0 s");
  watch.set_interval(seconds(1));
  EXPECT_FALSE(watch.hung(12 * kSecond + 1));
  watch.beat("collect", 10 * kSecond, 16 * kSecond);
  EXPECT_TRUE(watch.hung(16 * kSecond));
}

TEST(PluginWatchTest, ACollectMayTakeTenSecondsWhileItsProcessWantsAProcessor) {
  PluginWatch watch({}, 10 * kSecond);
  watch.beat("collect", 10 * kSecond, 15 * kSecond);
  EXPECT_TRUE(watch.hung(15 * kSecond, [] { return false; }));
  EXPECT_FALSE(watch.hung(15 * kSecond, [] { return true; }));
  watch.beat("collect", 10 * kSecond, 20 * kSecond + 1);
  EXPECT_TRUE(watch.hung(20 * kSecond + 1, [] { return true; })) << "an endless loop";
}

TEST(PluginWatchTest, ACallIsJudgedByWhatTheLastHeartbeatSaw) {
  PluginWatch watch({}, kSecond);
  watch.beat("collect", 10 * kSecond, 11 * kSecond);
  EXPECT_FALSE(watch.hung(13 * kSecond)) << "it may have returned since";
}

TEST(PluginWatchTest, CallsThatAnswerARequestAreLeftToWhoAsked) {
  PluginWatch watch({}, kSecond);
  watch.beat("drive", kSecond, 1'000 * kSecond);
  EXPECT_FALSE(watch.hung(1'000 * kSecond));
  watch.beat("stage", 990 * kSecond, 1'001 * kSecond);
  EXPECT_TRUE(watch.hung(1'001 * kSecond));
}

TEST(PluginWatchTest, ABeginningInTheFutureIsNoHang) {
  PluginWatch watch({}, kSecond);
  watch.beat("collect", 99 * kSecond, 2 * kSecond);
  EXPECT_FALSE(watch.hung(2 * kSecond));
}

}  // namespace
}  // namespace plumb::engine
