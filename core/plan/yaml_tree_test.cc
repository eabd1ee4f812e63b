#include "core/plan/yaml_tree.h"

#include <gtest/gtest.h>

namespace plumb::plan {
namespace {

YamlFault fault(std::string_view text) {
  auto parsed = parse_yaml(text);
  if (const auto* found = std::get_if<YamlFault>(&parsed)) return *found;
  return {{}, "no fault", ""};
}

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(YamlTree, ValuesAndKeysKeepTheirPlaces) {
  auto parsed = parse_yaml("a: 1\nb:\n  c: [x, \"2\"]\n");
  ASSERT_TRUE(std::holds_alternative<Node>(parsed));
  const Node& root = std::get<Node>(parsed);
  ASSERT_EQ(root.entries.size(), 2u);
  EXPECT_EQ(root.entries[1].key_mark.line, 2);
  const Node* list = root.find("b")->find("c");
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(list->items[0].mark.line, 3);
  EXPECT_EQ(list->items[0].mark.column, 7);
  EXPECT_FALSE(list->items[0].quoted);
  EXPECT_TRUE(list->items[1].quoted);
}

TEST(YamlTree, EmptyTextIsANullNode) {
  for (const char* text : {"", "# nothing\n", "---\n"}) {
    auto parsed = parse_yaml(text);
    ASSERT_TRUE(std::holds_alternative<Node>(parsed)) << text;
    EXPECT_EQ(std::get<Node>(parsed).kind, Node::Kind::kNull);
  }
}

TEST(YamlTree, AliasesAreCopied) {
  auto parsed = parse_yaml("a: &x {k: v}\nb: *x\n");
  ASSERT_TRUE(std::holds_alternative<Node>(parsed));
  EXPECT_EQ(std::get<Node>(parsed).find("b")->find("k")->text, "v");
}

TEST(YamlTree, GrowingAliasesAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias +
            repeat(", " + alias, 9) + "]\n";
  }
  const YamlFault found = fault(bomb);
  EXPECT_NE(found.message.find("more than 20000 values"), std::string::npos) << found.message;
  EXPECT_EQ(found.mark.line, 5);
}

TEST(YamlTree, LongTextsMultipliedByAliasesAreRefused) {
  std::string bomb = "a: &a " + repeat("x", 100'000) + "\nb: [*a" + repeat(", *a", 50) + "]\n";
  EXPECT_NE(fault(bomb).message.find("aliases grow"), std::string::npos);
}

TEST(YamlTree, AnAliasOfWhatHoldsItIsRefused) {
  EXPECT_NE(fault("a: &a [1, *a]\n").message.find("not complete"), std::string::npos);
}

TEST(YamlTree, DeepNestingIsRefused) {
  EXPECT_NE(fault(repeat("[", 33) + repeat("]", 33)).message.find("nested deeper than 32"),
            std::string::npos);
  EXPECT_NE(fault(repeat("[", 100'000)).message, "no fault");
  EXPECT_NE(fault(repeat("{a: ", 5'000)).message, "no fault");
  EXPECT_EQ(fault(repeat("[", 32) + repeat("]", 32)).message, "no fault");
}

TEST(YamlTree, ManyValuesAreRefused) {
  EXPECT_NE(fault("[" + repeat("1,", 30'000) + "]").message.find("20000 values"),
            std::string::npos);
}

TEST(YamlTree, LargeFilesAreRefused) {
  EXPECT_NE(fault("a: " + repeat("x", kLargestPlanBytes)).message.find("1 MiB"), std::string::npos);
}

TEST(YamlTree, WhatIsNoTextIsRefused) {
  EXPECT_NE(fault("a: \xff\xfe").message.find("UTF-8"), std::string::npos);
  EXPECT_NE(fault(std::string_view("a: b\0c", 6)).message.find("UTF-8"), std::string::npos);
}

TEST(YamlTree, BrokenYamlNamesItsPlace) {
  const YamlFault found = fault("a: [1, 2\nb: 3\n");
  EXPECT_GE(found.mark.line, 1);
  EXPECT_NE(found.message.find("not valid YAML"), std::string::npos);
  EXPECT_NE(fault("a: {dsn: ${X}}\n").hint.find("double quotes"), std::string::npos);
  EXPECT_NE(fault("a:\n\tb: 1\n").hint.find("tabs"), std::string::npos);
}

TEST(YamlTree, KeysArePlainText) {
  EXPECT_EQ(fault("[a, b]: 1\n").message, "a key must be plain text");
  EXPECT_EQ(fault("? {a: 1}\n: 1\n").message, "a key must be plain text");
}

TEST(YamlTree, ASecondDocumentIsRefused) {
  EXPECT_NE(fault("a: 1\n---\nb: 2\n").message.find("second document"), std::string::npos);
}

TEST(Utf8, OverlongAndSurrogateFormsAreRefused) {
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* text : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(text));
}

}  // namespace
}  // namespace plumb::plan
