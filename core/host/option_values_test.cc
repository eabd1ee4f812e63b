#include "core/host/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plumb::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Manifest manifest() {
  Manifest m;
  m.name = "p";
  const auto add = [&](const char* key, uint32_t type, bool required = false) {
    OptionInfo option;
    option.key = key;
    option.type = type;
    option.required = required;
    option.help = "what it is";
    m.options.push_back(option);
  };
  add("text", PLUMB_OPTION_STRING);
  add("count", PLUMB_OPTION_INTEGER);
  add("ratio", PLUMB_OPTION_NUMBER);
  add("on", PLUMB_OPTION_BOOLEAN);
  add("every", PLUMB_OPTION_DURATION);
  return m;
}

const plumb_value* find(const OptionValues& values, const std::string& key) {
  for (const plumb_value& value : values.values()) {
    if (key == value.key) return &value;
  }
  return nullptr;
}

TEST(OptionValuesTest, CarriesEachTypeAndOutlivesAMove) {
  auto made = OptionValues::from_json(
      manifest(), {{"text", "hello"}, {"count", -3}, {"ratio", 2}, {"on", true}, {"every", 5'000}});
  ASSERT_TRUE(made.is_ok()) << made.status().message();
  const OptionValues values = std::move(made).value();
  EXPECT_STREQ(find(values, "text")->string, "hello");
  EXPECT_EQ(find(values, "count")->integer, -3);
  EXPECT_EQ(find(values, "ratio")->number, 2.0);
  EXPECT_EQ(find(values, "on")->integer, 1);
  EXPECT_EQ(find(values, "every")->integer, 5'000);
  EXPECT_EQ(find(values, "every")->type, uint32_t{PLUMB_OPTION_DURATION});
}

TEST(OptionValuesTest, NamesTheKeyAndNeverTheValueOfWhatIsWrong) {
  const auto message = [](const nlohmann::json& values) {
    return OptionValues::from_json(manifest(), values).status().message();
  };
  EXPECT_THAT(message({{"count", "hunter2"}}),
              AllOf(HasSubstr("count is no integer"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(message({{"text", 5}}), HasSubstr("text is no string"));
  EXPECT_THAT(message({{"on", 1}}), HasSubstr("on is no boolean"));
  EXPECT_THAT(message({{"every", 1.5}}), HasSubstr("every is no duration"));
  EXPECT_THAT(message({{"count", 18446744073709551615u}}), HasSubstr("count is no integer"));
  EXPECT_THAT(message({{"text", std::string("a\0b", 3)}}), HasSubstr("text is no string"));
  EXPECT_THAT(message({{"unknown", 1}}), HasSubstr("unknown is not one it takes"));
}

TEST(OptionValuesTest, ARequiredOptionCannotBeLeftOut) {
  Manifest m = manifest();
  m.options[0].required = true;
  EXPECT_THAT(OptionValues::from_json(m, {{"count", 1}}).status().message(),
              HasSubstr("text is required: what it is"));
  EXPECT_FALSE(OptionValues::from_json(m, {{"text", nullptr}}).is_ok());
}

}  // namespace
}  // namespace plumb::host
