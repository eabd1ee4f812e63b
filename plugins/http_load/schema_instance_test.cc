#include "plugins/http_load/schema_instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "plugins/http_load/pattern_instance.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

json made(const char* schema, uint64_t draw = 1) {
  return schema_instance(json::parse(schema), draw);
}

TEST(SchemaInstance, GivesRequiredPropertiesOnly) {
  const json value = made(R"({"type": "object", "required": ["a", "n", "unknown"], "properties": {
      "a": {"type": "string"}, "b": {"type": "string"},
      "n": {"type": "object", "required": ["x"], "properties": {"x": {"type": "boolean"}}}}})");
  EXPECT_EQ(value.size(), 3u);
  EXPECT_TRUE(value["a"].is_string());
  EXPECT_TRUE(value["n"]["x"].is_boolean());
  EXPECT_TRUE(value["unknown"].is_string());
  EXPECT_EQ(made(R"({"type": "object"})"), json::object());
  EXPECT_EQ(made("{\"properties\": {\"a\": {}}}"), json::object());
}

TEST(SchemaInstance, ConstAndDefaultAndEnumGoBeforeTheType) {
  EXPECT_EQ(made(R"({"const": {"k": [1]}, "default": 2})"), json::parse(R"({"k": [1]})"));
  EXPECT_EQ(made(R"({"type": "integer", "default": 5, "enum": [1]})"), 5);
  std::string seen;
  for (uint64_t draw = 0; draw < 50; ++draw)
    seen += made(R"({"enum": ["a", "b", "c"]})", draw).get<std::string>();
  for (const char c : {'a', 'b', 'c'}) EXPECT_NE(seen.find(c), std::string::npos) << c;
}

TEST(SchemaInstance, KeepsNumbersWithinTheirBounds) {
  for (uint64_t draw = 0; draw < 200; ++draw) {
    const auto in = [&](const char* schema, double low, double high) {
      const auto value = made(schema, draw);
      EXPECT_TRUE(value.is_number()) << schema;
      EXPECT_GE(value.get<double>(), low) << schema;
      EXPECT_LE(value.get<double>(), high) << schema;
    };
    in(R"({"type": "integer"})", 1, 100);
    in(R"({"type": "integer", "minimum": 7, "maximum": 9})", 7, 9);
    in(R"({"type": "integer", "maximum": -5})", -5, -5);
    in(R"({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5})", 4, 4);
    in(R"({"type": "number", "exclusiveMinimum": 0, "maximum": 1})", 0.1, 1);
    in(R"({"type": "integer", "minimum": 2.5, "maximum": 3.5})", 3, 3);
    in(R"({"type": "number", "minimum": 1e300})", 1e300, 1.1e300);
  }
  EXPECT_TRUE(made(R"({"type": "integer"})").is_number_integer());
  EXPECT_EQ(made(R"({"type": "integer", "minimum": 3, "multipleOf": 5})"), 5);
}

TEST(SchemaInstance, KeepsTextWithinItsLength) {
  const auto length = [](const char* schema) { return made(schema).get<std::string>().size(); };
  EXPECT_EQ(length(R"({"type": "string"})"), 8u);
  EXPECT_EQ(length(R"({"type": "string", "minLength": 20})"), 20u);
  EXPECT_EQ(length(R"({"type": "string", "maxLength": 3})"), 3u);
  EXPECT_EQ(length(R"({"type": "string", "minLength": 1e18})"), 4'096u) << "bounded";
}

TEST(SchemaInstance, FollowsFormats) {
  const auto matches = [](const char* format, const char* regex) {
    const std::string value = schema_instance({{"type", "string"}, {"format", format}}, 3);
    EXPECT_TRUE(std::regex_match(value, std::regex(regex))) << format << ": " << value;
  };
  matches("date-time", R"(2025-01-\d\dT12:\d\d:00Z)");
  matches("date", R"(2025-01-\d\d)");
  matches("time", R"(12:\d\d:00Z)");
  matches("email", R"([a-z]+@example\.com)");
  matches("uri", R"(https://example\.com/[a-z]+)");
  matches("uuid", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}");
  matches("ipv4", R"(192\.0\.2\.\d+)");
  matches("ipv6", "2001:db8::[0-9a-f]+");
  matches("unheard-of", "[a-z]{8}");
}

TEST(SchemaInstance, FollowsSimplePatterns) {
  for (const char* pattern : {"^[a-z]{3}-\\d{4}$", "^[A-Z][a-z0-9_-]+$", "abc", "^\\w+\\.txt$",
                              "^a?b*c+$", "^v\\d{1,3}$", "^[-+]\\d{2,}$", "^.{5}$", "^\\$\\d$"})
    for (uint64_t draw = 0; draw < 20; ++draw) {
      const std::string value = schema_instance({{"type", "string"}, {"pattern", pattern}}, draw);
      EXPECT_TRUE(std::regex_match(value, std::regex(pattern))) << pattern << ": " << value;
    }
  Random random(1);
  for (const char* pattern : {"^(a|b)$", "a|b", "[^a]", "[", "a{", "a{x}", "\\", "\\D", "[z-a]",
                              "*", "a{999999999999999999999}", "[]", "[a-\\d]"})
    EXPECT_FALSE(pattern_instance(pattern, random)) << pattern;
}

TEST(SchemaInstance, FillsArraysToTheirLeast) {
  EXPECT_EQ(made(R"({"type": "array", "items": {"type": "integer"}})"), json::array());
  const json three = made(R"({"type": "array", "minItems": 3, "items": {"type": "integer"}})");
  ASSERT_EQ(three.size(), 3u);
  EXPECT_TRUE(three[2].is_number_integer());
  EXPECT_EQ(made(R"({"type": "array", "minItems": 1e9})").size(), 16u) << "bounded";
  const json pair = made(R"({"minItems": 2, "prefixItems": [{"type": "boolean"}], "items": {}})");
  EXPECT_TRUE(pair[0].is_boolean());
  EXPECT_TRUE(pair[1].is_string());
}

TEST(SchemaInstance, TakesTheFirstAlternativeAndAllOfAll) {
  EXPECT_TRUE(made(R"({"anyOf": [{"type": "null"}, {"type": "integer"}]})").is_number());
  EXPECT_TRUE(made(R"({"oneOf": [{"type": "boolean"}, {"type": "integer"}]})").is_boolean());
  EXPECT_TRUE(made(R"({"type": ["null", "integer"]})").is_number());
  const json all = made(R"({"allOf": [
      {"required": ["a"], "properties": {"a": {"type": "integer"}}},
      {"$ref": "#/$defs/b"}], "$defs": {"b": {"required": ["b"]}}})");
  EXPECT_TRUE(all["a"].is_number());
  EXPECT_TRUE(all["b"].is_string());
  const json beside = made(R"({"properties": {"a": {"type": "integer"}, "b": {}},
      "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})");
  EXPECT_TRUE(beside["a"].is_number());
}

TEST(SchemaInstance, FollowsLocalReferences) {
  EXPECT_TRUE(
      made(R"({"$ref": "#/$defs/n~1a", "$defs": {"n/a": {"type": "integer"}}})").is_number());
  EXPECT_TRUE(made(R"({"$ref": "https://example.com/schema"})").is_string()) << "never fetched";
  EXPECT_TRUE(made(R"({"$ref": "#/nowhere"})").is_string());
}

TEST(SchemaInstance, EndsWhereASchemaDoesNot) {
  made(R"({"$ref": "#"})");
  made(R"({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}})");
  made(R"({"type": "array", "minItems": 16, "items": {"$ref": "#"}})");
  made(R"({"allOf": [{"$ref": "#"}]})");
  for (const char* odd : {"null", "[]", "true", "3", "{\"type\": 3}", "{\"enum\": []}",
                          "{\"required\": [1]}", "{\"type\": []}", "{\"anyOf\": [1]}"})
    made(odd);
}

TEST(SchemaInstance, IsTheSameForTheSameDraw) {
  const char* schema = R"({"required": ["a", "b"], "properties": {"b": {"type": "integer"}}})";
  EXPECT_EQ(made(schema, 5), made(schema, 5));
  EXPECT_NE(made(schema, 5), made(schema, 6));
}

}  // namespace
}  // namespace plumb::http_load
