#include "plugins/http_load/encoding.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

template <typename Append>
std::string encoded(Append append, std::string_view text) {
  std::string out = ">";
  append(text, out);
  return out;
}

TEST(Encoding, PercentEncodesAllThatIsNotUnreserved) {
  EXPECT_EQ(encoded(append_url_encoded, "aZ09-._~"), ">aZ09-._~");
  EXPECT_EQ(encoded(append_url_encoded, "a b/c?d=e&f+%\xc3\xa4"),
            ">a%20b%2Fc%3Fd%3De%26f%2B%25%C3%A4");
}

TEST(Encoding, KeepsAPathInOneRequestLine) {
  EXPECT_EQ(encoded(append_path_safe, "/a/b?c=d%20"), ">/a/b?c=d%20");
  EXPECT_EQ(encoded(append_path_safe, "/a b\r\nX: y#\x7f\xff"), ">/a%20b%0D%0AX:%20y%23%7F%FF");
}

TEST(Encoding, EscapesWhatAJsonStringCannotHold) {
  EXPECT_EQ(encoded(append_json_escaped, "say \"hi\"\\\n\x01\x1f"),
            ">say \\\"hi\\\"\\\\\\n\\u0001\\u001f");
}

TEST(Encoding, DropsLineBreaksFromAHeader) {
  EXPECT_EQ(encoded(append_line_safe, "a\r\nHost: b\tc"), ">aHost: b\tc");
  EXPECT_TRUE(has_control_character("a\nb"));
  EXPECT_FALSE(has_control_character("a\tb \xc3\xa4"));
}

TEST(Encoding, MakesBase64) {
  EXPECT_EQ(encoded(append_base64, ""), ">");
  EXPECT_EQ(encoded(append_base64, "f"), ">Zg==");
  EXPECT_EQ(encoded(append_base64, "foobar"), ">Zm9vYmFy");
  EXPECT_EQ(encoded(append_base64, "\xff\xfe\xfd?"), ">//79Pw==");
  EXPECT_EQ(encoded(append_base64url, "\xff\xfe\xfd?"), ">__79Pw");
}

TEST(Encoding, MakesTextFromOutsideFitForASentence) {
  EXPECT_EQ(printable("plain", 10), "plain");
  EXPECT_EQ(printable("a\nb\x01\xff", 10), "a b??");
  EXPECT_EQ(printable("0123456789a", 10), "0123456789...");
}

}  // namespace
}  // namespace plumb::http_load
