#include "core/plan/quantity.h"

#include <gtest/gtest.h>

namespace plumb::plan {
namespace {

using std::chrono::nanoseconds;

TEST(Quantity, DurationsTakeUnitsAndCompounds) {
  EXPECT_EQ(parse_duration("100ms"), nanoseconds(100'000'000));
  EXPECT_EQ(parse_duration("5s"), nanoseconds(5'000'000'000));
  EXPECT_EQ(parse_duration("2m"), nanoseconds(120'000'000'000));
  EXPECT_EQ(parse_duration("1h"), nanoseconds(3600'000'000'000));
  EXPECT_EQ(parse_duration("1m30s"), nanoseconds(90'000'000'000));
  EXPECT_EQ(parse_duration("1.5s"), nanoseconds(1'500'000'000));
  EXPECT_EQ(parse_duration("250us"), nanoseconds(250'000));
  EXPECT_EQ(parse_duration("7ns"), nanoseconds(7));
  EXPECT_EQ(parse_duration("0"), nanoseconds(0));
}

TEST(Quantity, MalformedDurationsAreNone) {
  for (const char* text : {"", "5", "s", "5 s", "-5s", "5sec", "1.2.3s", "5s1m", "1s1s", "5s3",
                           "1e9s", "99999999999h", "+5s", "5S", ".", ".s", "nan", "infs"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Quantity, RatesArePerSecond) {
  EXPECT_DOUBLE_EQ(*parse_rate("200/s"), 200);
  EXPECT_DOUBLE_EQ(*parse_rate("12000/min"), 200);
  EXPECT_DOUBLE_EQ(*parse_rate("90/h"), 0.025);
  EXPECT_DOUBLE_EQ(*parse_rate("0.5/s"), 0.5);
  for (const char* text : {"", "200", "/s", "-1/s", "200/", "200/d", "200 /s", "fast"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Quantity, SizesKnowBothKindsOfUnit) {
  EXPECT_EQ(parse_size("4096"), 4096);
  EXPECT_EQ(parse_size("64KiB"), 65536);
  EXPECT_EQ(parse_size("10MB"), 10'000'000);
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736);
  for (const char* text : {"", "-1", "10mb", "KiB", "99999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Quantity, RatiosAreAtMostOne) {
  EXPECT_DOUBLE_EQ(*parse_ratio("0.1%"), 0.001);
  EXPECT_DOUBLE_EQ(*parse_ratio("0.001"), 0.001);
  EXPECT_DOUBLE_EQ(*parse_ratio("100%"), 1);
  for (const char* text : {"", "101%", "2", "-1%", "%"}) EXPECT_FALSE(parse_ratio(text)) << text;
}

TEST(Quantity, NumbersAreWholeTextsAndFinite) {
  EXPECT_EQ(parse_integer("-3"), -3);
  EXPECT_FALSE(parse_integer("3.0"));
  EXPECT_FALSE(parse_integer("99999999999999999999"));
  EXPECT_DOUBLE_EQ(*parse_number("1e3"), 1000);
  EXPECT_FALSE(parse_number("inf"));
  EXPECT_FALSE(parse_number("nan"));
  EXPECT_FALSE(parse_number("1x"));
  EXPECT_EQ(parse_boolean("yes"), true);
  EXPECT_EQ(parse_boolean("off"), false);
  EXPECT_FALSE(parse_boolean("1"));
}

TEST(Quantity, WhatIsFormattedParsesToTheSame) {
  for (const char* text : {"30s", "90s", "2m", "1h", "1500us", "100ms", "7ns"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
  EXPECT_EQ(format_duration(nanoseconds(0)), "0s");
  EXPECT_EQ(format_rate(*parse_rate("12000/min")), "200/s");
  EXPECT_EQ(format_ratio(*parse_ratio("0.1%")), "0.1%");
  EXPECT_EQ(format_size(*parse_size("64KiB")), "64KiB");
  EXPECT_EQ(format_size(1000), "1000");
}

}  // namespace
}  // namespace plumb::plan
