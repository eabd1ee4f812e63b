#include "numbers.h"

#include <gmock/gmock.h>

namespace plumb::llm_analyzer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> texts(std::string_view prose) {
  std::vector<std::string> out;
  for (const WrittenNumber& number : find_numbers(prose)) out.push_back(number.text);
  return out;
}

bool holds(std::string_view prose, double value, std::string_view unit) {
  const KnownNumber known{value, std::string(unit)};
  const auto numbers = find_numbers(prose);
  return !numbers.empty() && is_borne_out(numbers[0], std::span(&known, 1));
}

TEST(NumbersTest, EveryWayOfWritingANumberIsFound) {
  EXPECT_THAT(texts("1,234.5 and 93% and 12ms, 1.2s; .5 (7) 3e-4 20k x5"),
              ElementsAre("1,234.5", "93", "12", "1.2", ".5", "7", "3e-4", "20", "5"));
  EXPECT_THAT(texts("two of twenty-five, three hundred; Forty"),
              ElementsAre("two", "twenty-five", "three hundred", "Forty"));
  EXPECT_THAT(texts("1,2 and 12,34,567"), ElementsAre("1", "2", "12", "34,567"));
}

TEST(NumbersTest, OneAndWordsThatHoldNumbersAreNone) {
  EXPECT_THAT(texts("One could say that someone often weighs tension"), IsEmpty());
}

TEST(NumbersTest, SecondsMayBeToldInOtherUnitsWithinRounding) {
  EXPECT_TRUE(holds("79.3 ms", 0.07931, "seconds"));
  EXPECT_TRUE(holds("79ms", 0.07931, "seconds"));
  EXPECT_TRUE(holds("0.0793 s", 0.07931, "seconds"));
  EXPECT_TRUE(holds("79,310 microseconds", 0.07931, "seconds"));
  EXPECT_TRUE(holds("79.3-millisecond", 0.07931, "seconds"));
  EXPECT_TRUE(holds("79 \u00b5s", 0.000079, "seconds"));
  EXPECT_TRUE(holds("12\u00a0ms", 0.012, "seconds"));
  EXPECT_FALSE(holds("79.4 ms", 0.07931, "seconds"));
  EXPECT_FALSE(holds("80 ms", 0.07931, "seconds"));
  EXPECT_FALSE(holds("79 s", 0.07931, "seconds"));
  EXPECT_FALSE(holds("79", 0.07931, "seconds"));
  EXPECT_FALSE(holds("7%", 7, "seconds"));
}

TEST(NumbersTest, RatiosMayBeToldAsPercent) {
  EXPECT_TRUE(holds("93%", 0.931, "ratio"));
  EXPECT_TRUE(holds("93.1 percent", 0.931, "ratio"));
  EXPECT_TRUE(holds("93 per cent", 0.931, "ratio"));
  EXPECT_TRUE(holds("0.93", 0.931, "ratio"));
  EXPECT_FALSE(holds("94%", 0.931, "ratio"));
  EXPECT_FALSE(holds("93 ms", 0.931, "ratio"));
}

TEST(NumbersTest, BytesMayBeDecimalOrBinary) {
  EXPECT_TRUE(holds("4 MB", 4 * 1048576, "bytes"));
  EXPECT_TRUE(holds("4.2 MB", 4 * 1048576, "bytes"));
  EXPECT_TRUE(holds("4 MiB", 4 * 1048576, "bytes"));
  EXPECT_FALSE(holds("4.2 MiB", 4 * 1048576, "bytes"));
}

TEST(NumbersTest, CountsMatchAsTheyAreWritten) {
  EXPECT_TRUE(holds("6,054 requests", 6054, "requests"));
  EXPECT_TRUE(holds("6.1k requests", 6054, "requests"));
  EXPECT_TRUE(holds("-5", 5, "1"));
  EXPECT_TRUE(holds("two connections", 2, "connections"));
  EXPECT_FALSE(holds("6,000 requests", 6054, "requests"));
}

TEST(NumbersTest, NumberBeforeAUnitNearbyBorrowsIt) {
  const std::vector<KnownNumber> known = {{0.0691, "seconds"}, {0.0793, "seconds"}};
  for (const WrittenNumber& number : find_numbers("69 of each request's 79.3 ms"))
    EXPECT_TRUE(is_borne_out(number, known)) << number.text;
  EXPECT_FALSE(is_borne_out(find_numbers("It is 69. Later, 79.3 ms")[0], known));
}

TEST(NumbersTest, DigitsOfOtherScriptsAreSeen) {
  EXPECT_TRUE(has_foreign_digits("９３ ms"));
  EXPECT_TRUE(has_foreign_digits("x²"));
  EXPECT_TRUE(has_foreign_digits("½"));
  EXPECT_TRUE(has_foreign_digits("٣"));
  EXPECT_FALSE(has_foreign_digits("93 µs – über 12 %"));
}

TEST(NumbersTest, NumbersAreShownAsPeopleReadThem) {
  EXPECT_EQ(show_number(0.07931, "seconds"), "79.31 ms");
  EXPECT_EQ(show_number(0.0000125, "seconds"), "12.5 \u00b5s");
  EXPECT_EQ(show_number(3, "seconds"), "3 s");
  EXPECT_EQ(show_number(0.931, "ratio"), "93.1%");
  EXPECT_EQ(show_number(1234567, "requests"), "1,234,567 requests");
  EXPECT_EQ(show_number(201.84, "requests/s"), "201.8 requests/s");
  EXPECT_EQ(show_number(0, "1"), "0");
  EXPECT_EQ(show_number(-1234.5, "1"), "-1,234");
  EXPECT_EQ(show_number(4194304, "bytes"), "4 MiB");
}

TEST(NumbersTest, WhatIsShownIsBorneOut) {
  for (const char* unit : {"seconds", "ratio", "bytes", "requests/s", "1", "ms"}) {
    for (double value = 1.2345e-4; value < 1e9; value *= 3.7)
      EXPECT_TRUE(holds(show_number(value, unit), value, unit)) << show_number(value, unit);
  }
}

}  // namespace
}  // namespace plumb::llm_analyzer
