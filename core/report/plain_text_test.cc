#include "core/report/plain_text.h"

#include <gtest/gtest.h>

namespace plumb::report {
namespace {

TEST(PlainText, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(valid_utf8("a\xff z"), "a\xEF\xBF\xBD z");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80").substr(0, 3), "\xEF\xBF\xBD");      // a surrogate
  EXPECT_EQ(valid_utf8("\xe2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // torn
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80").substr(0, 3), "\xEF\xBF\xBD");  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8("µs – 漢字 😀"), "µs – 漢字 😀");
}

TEST(PlainText, EveryStringAndKeyOfADocumentIsMadeValid) {
  const nlohmann::json document = {{"k\xff", {"v\xff", 1, nullptr}}};
  const nlohmann::json clean = valid_document(document);
  EXPECT_EQ(clean.dump(), "{\"k\xEF\xBF\xBD\":[\"v\xEF\xBF\xBD\",1,null]}");
}

TEST(PlainText, NoStringOfADocumentHoldsWhatATerminalWouldObey) {
  const nlohmann::json document = {{"check", "a\x1b[2Jb\x7f\xc2\x9b\r\nc\rd\te"}};
  EXPECT_EQ(valid_document(document)["check"].get<std::string>(),
            "a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD\xEF\xBF\xBD\nc\nd\te");
  // Part of names in some languages; what prints the document escapes them (json_text.h).
  EXPECT_EQ(valid_document("\xe2\x80\x8f"), "\xe2\x80\x8f");
}

TEST(PlainText, ADocumentIsNotDeeperThanAStack) {
  nlohmann::json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = nlohmann::json::array({std::move(deep)});
  EXPECT_LT(valid_document(deep).dump().size(), 200u);
}

TEST(PlainText, ControlsAndDirectionMarksDoNotReachATerminal) {
  EXPECT_EQ(one_line("a\x1b[31mb"), "a\xEF\xBF\xBD[31mb");
  EXPECT_EQ(one_line("a\r\nb\tc"), "a  b c");
  EXPECT_EQ(one_line("a\xe2\x80\xae"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(one_line("a\xc2\x9b"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");  // the one-byte CSI of C1
  EXPECT_EQ(many_lines("a\nb\x07"), "a\nb\xEF\xBF\xBD");
}

TEST(PlainText, ColumnsCountWideAndCombiningCharacters) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("漢字"), 4u);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1u);
}

TEST(PlainText, CutLeavesWholeCharactersAndAnEllipsis) {
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdef", 4), "abc…");
  EXPECT_EQ(cut("漢字漢字", 4), "漢…");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(cut_middle("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_middle("Endpoint tools/call add", 12), "Endpoi…l add");
  EXPECT_EQ(cut_middle("漢字漢字", 6), "漢…字");
  EXPECT_EQ(cut_middle("abcdef", 2), "a…");
  EXPECT_EQ(fill_right("ab", 4), "ab  ");
  EXPECT_EQ(fill_left("ab", 4), "  ab");
}

TEST(PlainText, WrapBreaksAtBlanksAndInsideLongWords) {
  EXPECT_EQ(wrap("one two three four", 9), (std::vector<std::string>{"one two", "three", "four"}));
  EXPECT_EQ(wrap("abcdefghijklmnop", 8), (std::vector<std::string>{"abcdefgh", "ijklmnop"}));
  EXPECT_EQ(wrap("", 20), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap("exactly8 next", 8), (std::vector<std::string>{"exactly8", "next"}));
}

}  // namespace
}  // namespace plumb::report
