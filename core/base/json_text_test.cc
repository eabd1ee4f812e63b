#include "core/base/json_text.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(JsonText, WhatATerminalWouldObeyIsEscapedAndReadsBackTheSame) {
  const std::string hostile =
      "a\x1b[2J\x7f\xc2\x9b"
      "31m\xe2\x80\xae gnp\xe2\x81\xa6.\xd8\x9c\xe2\x80\x8f\n";
  const std::string text = json_text(nlohmann::json::array({hostile}));
  EXPECT_EQ(text, R"(["a\u001b[2J\u007f\u009b31m\u202e gnp\u2066.\u061c\u200f\n"])");
  EXPECT_EQ(nlohmann::json::parse(text)[0], hostile);
}

TEST(JsonText, OrdinaryTextOfAnyLanguageStaysAsItIs) {
  EXPECT_EQ(json_text({{"µs", "漢字 – عربى 😀"}}), "{\"µs\":\"漢字 – عربى 😀\"}");
  EXPECT_EQ(json_text(nlohmann::json::array({1}), 1), "[\n 1\n]");
}

}  // namespace
}  // namespace plumb
