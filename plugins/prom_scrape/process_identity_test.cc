#include "plugins/prom_scrape/process_identity.h"

#include <gtest/gtest.h>

namespace plumb::prom_scrape {
namespace {

constexpr double kNoStart = std::numeric_limits<double>::quiet_NaN();

TEST(CounterTotal, GoesOnWhereItsCounterBeginsAnew) {
  CounterTotal total;
  EXPECT_EQ(total.update(100, Continuity::kSame), 100);
  EXPECT_EQ(total.update(130, Continuity::kSame), 130);
  EXPECT_EQ(total.update(5, Continuity::kSame), 135);
  EXPECT_EQ(total.update(9, Continuity::kSame), 139);
  // A restart after which it counted further than before.
  EXPECT_EQ(total.update(20, Continuity::kRestarted), 159);
}

TEST(CounterTotal, DoesNotCountWhatAnotherProcessHadCounted) {
  CounterTotal total;
  total.update(100, Continuity::kSame);
  EXPECT_EQ(total.update(90'000, Continuity::kOther), 100);
  EXPECT_EQ(total.update(90'007, Continuity::kSame), 107);
  EXPECT_EQ(total.update(104, Continuity::kOther), 107);
}

TEST(ProcessIdentity, ANewStartTimeAfterTheLastAnswerIsARestart) {
  ProcessIdentity process;
  EXPECT_EQ(process.page(1'000, 5'000, false), Continuity::kSame);
  EXPECT_EQ(process.page(1'000.4, 5'001, false), Continuity::kSame);
  EXPECT_EQ(process.page(5'001.5, 5'003, true), Continuity::kRestarted);
  EXPECT_EQ(process.page(5'001.5, 5'004, false), Continuity::kSame);
  EXPECT_FALSE(process.several());
}

TEST(ProcessIdentity, TwoInstancesInTurnAreToldFromARestart) {
  ProcessIdentity process;
  EXPECT_EQ(process.page(1'000, 5'000, false), Continuity::kSame);
  EXPECT_EQ(process.page(2'000, 5'001, false), Continuity::kOther);
  EXPECT_TRUE(process.several());
  EXPECT_EQ(process.page(1'000, 5'002, true), Continuity::kOther);
  EXPECT_EQ(process.page(1'000, 5'003, false), Continuity::kSame);
  EXPECT_EQ(process.fallen(), Continuity::kOther);
}

TEST(ProcessIdentity, TwoFreshInstancesAreFoundOutWhenTheFirstComesBack) {
  ProcessIdentity process;
  process.page(4'990, 5'000, false);
  EXPECT_EQ(process.page(4'995, 5'001, false), Continuity::kRestarted);
  EXPECT_EQ(process.page(4'990, 5'002, false), Continuity::kOther);
  EXPECT_TRUE(process.several());
}

TEST(ProcessIdentity, WithoutAStartTimeManyFallsMeanSeveralProcesses) {
  ProcessIdentity process;
  for (int i = 0; i < 20; ++i) process.page(kNoStart, i, false);
  process.page(kNoStart, 20, true);
  EXPECT_FALSE(process.several());
  EXPECT_EQ(process.fallen(), Continuity::kRestarted);
  process.page(kNoStart, 21, false);
  process.page(kNoStart, 22, true);
  process.page(kNoStart, 23, true);
  EXPECT_TRUE(process.several());
  EXPECT_EQ(process.fallen(), Continuity::kOther);
  // A rise may as well be the other process.
  EXPECT_EQ(process.page(kNoStart, 24, false), Continuity::kOther);
  for (int i = 0; i < 60; ++i) process.page(kNoStart, 25 + i, false);
  EXPECT_EQ(process.page(kNoStart, 85, false), Continuity::kSame);
}

TEST(ProcessIdentity, OneProcessAnsweringForLongIsOneAgain) {
  ProcessIdentity process;
  process.page(1'000, 5'000, false);
  process.page(2'000, 5'001, false);
  for (size_t i = 0; i < ProcessIdentity::kPagesOfOne; ++i) {
    EXPECT_TRUE(process.several());
    process.page(2'000, 5'002 + static_cast<double>(i), false);
  }
  EXPECT_FALSE(process.several());
  EXPECT_EQ(process.page(6'000, 6'001, true), Continuity::kRestarted);
}

}  // namespace
}  // namespace plumb::prom_scrape
