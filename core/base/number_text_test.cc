#include "core/base/number_text.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(NumberText, GroupsThousands) {
  EXPECT_EQ(grouped(6054), "6,054");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(-1234567.89, 1), "-1,234,567.9");
}

TEST(NumberText, TellsTimesAsPeopleReadThem) {
  EXPECT_EQ(seconds_text(0.0793), "79.3 ms");
  EXPECT_EQ(seconds_text(0.00004), "0.04 ms");
  EXPECT_EQ(seconds_text(1.25), "1.25 s");
  EXPECT_EQ(seconds_text(200), "3 min 20 s");
  EXPECT_EQ(milliseconds_text(0.001), "0.0");
}

TEST(NumberText, NeverRoundsAlmostAllUpToAll) {
  EXPECT_EQ(ratio_text(0.934), "93%");
  EXPECT_EQ(ratio_text(0.0042), "0.42%");
  EXPECT_EQ(ratio_text(1), "100%");
  EXPECT_EQ(ratio_text(0), "0%");
  EXPECT_EQ(ratio_text(-24.07), "-2,407%");
}

TEST(NumberText, FollowsTheUnitOfAFact) {
  EXPECT_EQ(value_text(201.84, "requests/s"), "201.8/s");
  EXPECT_EQ(value_text(1536, "bytes"), "1.5 KiB");
  EXPECT_EQ(value_text(16, "1"), "16");
  EXPECT_EQ(value_text(3.14159, "pages"), "3.14 pages");
}

TEST(NumberText, LeavesTheNameOfWhatIsCountedToTheSentence) {
  EXPECT_EQ(told_value(1.998, "connections"), "2");
  EXPECT_EQ(told_value(15.97, "requests"), "16");
  EXPECT_EQ(told_value(8.7, "sessions"), "8.70");
  EXPECT_EQ(told_value(0.0793, "seconds"), "79.3 ms");
  EXPECT_EQ(told_value(0, "calls"), "0");
  EXPECT_EQ(told_value(-4e-12, "connections"), "0") << "what rounding leaves";
}

}  // namespace
}  // namespace plumb
