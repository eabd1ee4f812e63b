#include "plugins/pg_stats/sampling_pace.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugins/pg_stats/chores.h"

namespace plumb::pg_stats {
namespace {

constexpr int64_t kTick = 100'000'000;
constexpr int64_t kSecond = 1'000'000'000;

// Ticks ten times a second against a server where a reading costs what the test says.
struct Ticker {
  SamplingPace pace{0.003};
  int64_t now = kSecond;
  int64_t readings = 0;
  double spent = 0;
  std::vector<SamplingPace::Change> changes = {};

  void go(double seconds, double cost, double reserved = 0) {
    const int64_t until = now + static_cast<int64_t>(seconds * 1e9);
    for (; now < until; now += kTick) {
      if (pace.due(now)) {
        ++readings;
        spent += cost;
        pace.spent(cost);
      }
      if (const auto change = pace.judge(now, reserved)) changes.push_back(*change);
    }
  }
};

TEST(SamplingPace, WithinTheBudgetEveryTickIsRead) {
  Ticker run;
  run.go(30, 200e-6);
  EXPECT_EQ(run.readings, 300);
  EXPECT_TRUE(run.changes.empty());
}

TEST(SamplingPace, PastTheBudgetItSlowsDownUntilItKeepsIt) {
  Ticker run;
  run.go(20, 850e-6);
  run.readings = 0;
  run.spent = 0;
  run.go(30, 850e-6);
  EXPECT_LE(run.spent / 30, 0.003);
  EXPECT_GE(run.spent / 30, 0.002) << "no slower than it must";
  ASSERT_EQ(run.changes.size(), 1u);
  EXPECT_TRUE(run.changes[0].slower);
  EXPECT_EQ(run.changes[0].every_ticks, 3);
  EXPECT_NEAR(run.changes[0].share, 0.0085, 0.0005);
}

TEST(SamplingPace, ABudgetUsedUpEarlyIsAnsweredEarly) {
  Ticker run;
  run.go(2.5, 30e-3);
  ASSERT_EQ(run.changes.size(), 1u);
  EXPECT_EQ(run.changes[0].every_ticks, 10);
}

TEST(SamplingPace, NeverLessThanOnceASecond) {
  Ticker run;
  run.go(60, 1.0);
  EXPECT_GE(run.readings, 60);
  EXPECT_LE(run.readings, 80);
  EXPECT_TRUE(run.changes.back().at_its_slowest);
}

TEST(SamplingPace, SpeedsUpAgainWhenReadingsGetCheap) {
  Ticker run;
  run.go(30, 900e-6);
  run.go(30, 100e-6);
  run.readings = 0;
  run.go(10, 100e-6);
  EXPECT_EQ(run.readings, 100);
  EXPECT_FALSE(run.changes.back().slower);
}

TEST(SamplingPace, DoesNotSwingBetweenTwoPaces) {
  Ticker run;
  run.go(200, 320e-6);
  EXPECT_EQ(run.changes.size(), 1u) << "320 us at 10/s is over, at 5/s far below: it stays there";
}

TEST(SamplingPace, WhatOtherReadingsTakeIsNotLeftForIt) {
  Ticker run;
  run.go(20, 250e-6, 0.001);
  EXPECT_EQ(run.pace.every_ticks(), 2);
}

TEST(SamplingPace, TicksThatAreSeldomAnywayAreNeverSkipped) {
  SamplingPace pace(0.003);
  int64_t now = kSecond;
  for (int i = 0; i < 20; ++i, now += 5 * kSecond) {
    EXPECT_TRUE(pace.due(now));
    pace.spent(1.0);
    (void)pace.judge(now, 0);
  }
}

TEST(ReadingPurse, AnOverdrawnPurseFillsBeforeTheNextReading) {
  ReadingPurse purse(0.001);
  int64_t now = kSecond;
  EXPECT_TRUE(purse.may_spend(now));
  purse.spend(now, 0.014);
  EXPECT_FALSE(purse.may_spend(now + 13 * kSecond));
  EXPECT_TRUE(purse.may_spend(now + 15 * kSecond));
}

TEST(ReadingPurse, OverTimeNotMoreThanItsShareIsSpent) {
  ReadingPurse purse(0.001);
  double spent = 0;
  for (int64_t now = kSecond; now < 1000 * kSecond; now += kTick) {
    if (!purse.may_spend(now)) continue;
    purse.spend(now, 0.005);
    spent += 0.005;
  }
  EXPECT_NEAR(spent, 1.0, 0.05);
  EXPECT_LE(purse.taken(1000 * kSecond), 0.001);
}

TEST(ReadingPurse, AClockThatGoesBackFillsNothing) {
  ReadingPurse purse(0.001);
  purse.spend(100 * kSecond, 0.01);
  EXPECT_FALSE(purse.may_spend(1 * kSecond));
  EXPECT_FALSE(purse.may_spend(2 * kSecond));
}

TEST(Chores, TakeTurnsAndWaitForThePurse) {
  Chores chores(0.001);
  std::string done;
  const auto add = [&](const char* name, int64_t every_s, bool wanted) {
    chores.add({name, every_s * kSecond, [wanted] { return wanted; },
                [&done, name] {
                  done += name;
                  return Status::ok();
                }});
  };
  add("a", 1, true);
  add("b", 2, true);
  add("-", 1, false);
  int64_t now = kSecond;
  for (int i = 0; i < 3; ++i) (void)chores.do_one(now);
  EXPECT_EQ(done, "ab") << "each once, and the unwanted never";
  now += 5 * kSecond;
  chores.charge(now, 0.1);
  EXPECT_FALSE(chores.do_one(now).has_value());
  now += 100 * kSecond;
  ASSERT_TRUE(chores.do_one(now).has_value());
  EXPECT_EQ(done, "aba");
}

TEST(Chores, AreAllDueAgainWhenHurried) {
  Chores chores(1);
  int done = 0;
  for (int i = 0; i < 3; ++i)
    chores.add({"chore", 100 * kSecond, [] { return true; },
                [&] {
                  ++done;
                  return Status::ok();
                }});
  for (int i = 0; i < 5; ++i) (void)chores.do_one(kSecond);
  EXPECT_EQ(done, 3);
  chores.hurry();
  for (int i = 0; i < 5; ++i) (void)chores.do_one(kSecond);
  EXPECT_EQ(done, 6);
}

}  // namespace
}  // namespace plumb::pg_stats
