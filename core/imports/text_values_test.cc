#include "core/imports/text_values.h"

#include <gtest/gtest.h>

namespace plumb::imports {
namespace {

constexpr int64_t kNoon = 1763726400 * kSecondNs;  // 2025-11-21T12:00:00Z

TEST(TextValues, ATimeOfTheEpochIsToldFromItsSize) {
  EXPECT_EQ(parse_time("1763726400"), kNoon);
  EXPECT_EQ(parse_time("1763726400.25"), kNoon + 250'000'000);
  EXPECT_EQ(parse_time("1763726400123"), kNoon + 123'000'000);
  EXPECT_EQ(parse_time("1763726400123.5"), kNoon + 123'500'000);
  EXPECT_EQ(parse_time("1763726400123456"), kNoon + 123'456'000);
  EXPECT_EQ(parse_time("1763726400123456789"), kNoon + 123'456'789);
}

TEST(TextValues, ADateKeepsItsNanosecondsAndItsOffset) {
  EXPECT_EQ(parse_time("2025-11-21T12:00:00Z"), kNoon);
  EXPECT_EQ(parse_time("2025-11-21T13:00:00.000000001+01:00"), kNoon + 1);
  EXPECT_EQ(parse_time("2025-11-21 12:00:00"), kNoon);
  EXPECT_EQ(parse_time("[21/Nov/2025:07:00:00 -0500]"), kNoon);
}

TEST(TextValues, WhatIsNoTimeIsNone) {
  for (const char* text :
       {"", "-5", "nan", "2025-13-01T00:00:00Z", "2025-11-21T25:00:00Z", "2025-11-21",
        "21/Foo/2025:00:00:00 +0000", "9999999999999999999999", "1763726400x", "1e300"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

TEST(TextValues, ALengthOfTimeIsNeverNegativeNorEndless) {
  EXPECT_EQ(duration_ns(1.5, 1e6), 1'500'000);
  EXPECT_EQ(duration_ns(-1, 1e6), std::nullopt);
  EXPECT_EQ(duration_ns(1e300, 1e9), std::nullopt);
  EXPECT_EQ(parse_duration_text("133us"), 133'000);
  EXPECT_EQ(parse_duration_text("1.20ms"), 1'200'000);
  EXPECT_EQ(parse_duration_text("5 s"), 5'000'000'000);
  EXPECT_EQ(parse_duration_text("1m30s"), 90'000'000'000);
  EXPECT_EQ(parse_duration_text("1m2.5s"), 62'500'000'000);
  EXPECT_EQ(parse_duration_text("1m30"), std::nullopt);
  EXPECT_EQ(parse_duration_text("5"), std::nullopt);
  EXPECT_EQ(parse_duration_text("5 parsecs"), std::nullopt);
}

}  // namespace
}  // namespace plumb::imports
