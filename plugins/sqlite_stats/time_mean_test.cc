#include "time_mean.h"

#include <gtest/gtest.h>

#include "durations.h"

namespace plumb::sqlite_stats {
namespace {

TEST(TimeMeanTest, LooksCountForTheTimeAroundThem) {
  TimeMean mean;
  mean.look(0, 4);
  for (int i = 1; i <= 10; ++i) mean.look(i * 10 * kMillisecond, 4);
  mean.look(101 * kMillisecond, 0);
  mean.look(1'000 * kMillisecond, 0);
  EXPECT_NEAR(mean.take().value(), 0.4, 0.01) << "eleven looks of four in a tenth of the time";
}

TEST(TimeMeanTest, GoesOnAcrossWhatWasTaken) {
  TimeMean mean;
  mean.look(0, 2);
  EXPECT_FALSE(mean.take()) << "one look stands for no time";
  mean.look(100, 2);
  EXPECT_EQ(mean.take(), 2);
  EXPECT_FALSE(mean.take());
}

TEST(TimeMeanTest, IsUnknownWhereOneLookSawNothing) {
  TimeMean mean;
  mean.look(0, 0);
  mean.look(100, std::nullopt);
  mean.look(200, 0);
  mean.look(300, 0);
  EXPECT_FALSE(mean.take()) << "the zeros around it are no mean";
  mean.look(400, 0);
  EXPECT_EQ(mean.take(), 0);
  mean.look(500, std::nullopt);
  mean.take();
  EXPECT_FALSE(mean.take()) << "and it stays unknown until somebody sees something";
}

TEST(TimeMeanTest, TimeThatNobodyWatchedIsNotCounted) {
  TimeMean mean;
  mean.look(0, 1);
  mean.look(100, 1);
  mean.pause();
  mean.look(10'000, 9);
  EXPECT_EQ(mean.take(), 1);
}

}  // namespace
}  // namespace plumb::sqlite_stats
