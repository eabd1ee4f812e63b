#include "core/cli/terminal.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace plumb::cli {
namespace {

TEST(Terminal, ColumnsAreAlignedByCharactersNotBytes) {
  EXPECT_EQ(aligned({{"a", "b"}, {"größe", "–", "x"}, {"abc"}}),
            "a      b\n"
            "größe  –  x\n"
            "abc\n");
}

TEST(Terminal, ACellThatATerminalWouldObeyStaysText) {
  EXPECT_EQ(aligned({{"a\x1b[31m", "b"}, {"c\nd", "e"}}),
            "a\uFFFD[31m  b\n"
            "c d     e\n");
}

TEST(Terminal, TextIsCutBetweenCharacters) {
  EXPECT_EQ(cut("größe", 3), "grö");
  EXPECT_EQ(cut("ab", 3), "ab");
  EXPECT_EQ(cut("ab", 0), "");
}

TEST(Terminal, ColourFollowsTheFlag) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(detect_terminal(Color::kAuto).color_out);
  EXPECT_TRUE(detect_terminal(Color::kAlways).color_out);
  EXPECT_FALSE(detect_terminal(Color::kNever).color_err);
  ::unsetenv("NO_COLOR");
}

}  // namespace
}  // namespace plumb::cli
