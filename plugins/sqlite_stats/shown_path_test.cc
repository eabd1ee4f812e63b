#include "shown_path.h"

#include <gmock/gmock.h>

namespace plumb::sqlite_stats {
namespace {

TEST(ShownPathTest, TextStandsAsItIs) {
  for (const char* path :
       {"shop.db", "/var/lib/büro/данные/库.db", "a b,*[x]\\y.db", "\U0001f4be.db", ""})
    EXPECT_EQ(shown_path(path), path);
}

TEST(ShownPathTest, BytesThatAreNoTextAreEscaped) {
  EXPECT_EQ(shown_path("caf\xe9.db"), "caf\\xe9.db") << "Latin-1";
  EXPECT_EQ(shown_path("\xc3"), "\\xc3") << "cut off";
  EXPECT_EQ(shown_path("\xc0\xaf"), "\\xc0\\xaf") << "longer than it need be";
  EXPECT_EQ(shown_path("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(shown_path("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(shown_path("a\nb\x1b[31m\x7f\xc2\x85"), "a\\x0ab\\x1b[31m\\x7f\\xc2\\x85");
}

TEST(ShownPathTest, OfALongPathTheEndIsShown) {
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "ü";
  const std::string shown = shown_path(path + "/shop.db");
  EXPECT_LE(shown.size(), 512u);
  EXPECT_THAT(shown, testing::StartsWith("...ü"));
  EXPECT_THAT(shown, testing::EndsWith("/shop.db"));
}

}  // namespace
}  // namespace plumb::sqlite_stats
