#include "core/host/text.h"

#include <gtest/gtest.h>

namespace plumb::host {
namespace {

TEST(TextTest, KnowsUtf8) {
  for (const char* text : {"", "plain", "ö", "€", "😀", "\x7f"}) EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "a\xc3("}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(TextTest, CleansWhatIsNoText) {
  EXPECT_EQ(clean_text("a\xff\x01z\n\t", 100), "a??z\n\t");
  EXPECT_EQ(clean_text("\x1b[31mred", 100), "?[31mred");
}

TEST(TextTest, CutsBetweenCharacters) {
  EXPECT_EQ(clean_text("aöö", 4), "aö");
  EXPECT_EQ(clean_text("aöö", 5), "aöö");
  EXPECT_EQ(clean_text("abc", 0), "");
}

}  // namespace
}  // namespace plumb::host
