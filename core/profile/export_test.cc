#include "core/profile/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/profile/stacks_for_tests.h"

namespace plumb::profile {
namespace {

using nlohmann::json;
using testing::run_with;
using testing::RunBuilder;
using testing::stacks_of;

using testing::kSecond;

store::RunData two_profiles() {
  return run_with({stacks_of("on_cpu", 2 * kSecond, 4 * kSecond,
                             {{"shop;main;b", 0.5}, {"shop;main", 0.25}, {"shop;main;a b", 1e-9}}),
                   stacks_of("off_cpu", 2 * kSecond, 4 * kSecond, {{"shop;poll", 3}}),
                   stacks_of("on_cpu", 0, 1 * kSecond, {{"shop;warm", 1}})});
}

std::string exported(const store::RunData& run, ExportFormat format, std::string_view name = {},
                     bool whole = false) {
  const auto text = export_profiles(run, format, name, whole);
  EXPECT_TRUE(text.is_ok()) << text.status().message();
  return text.is_ok() ? *text : "";
}

TEST(FoldedTest, SecondsAreMicrosecondsAndLinesStandInOrder) {
  EXPECT_EQ(exported(two_profiles(), ExportFormat::kFolded),
            "shop;main 250000\nshop;main;b 500000\n");
  EXPECT_EQ(exported(two_profiles(), ExportFormat::kFolded, "off_cpu"), "shop;poll 3000000\n");
  EXPECT_EQ(exported(two_profiles(), ExportFormat::kFolded, "", true),
            "shop;main 250000\nshop;main;b 500000\nshop;warm 1000000\n");
}

TEST(FoldedTest, BytesAndCountsAreWholeNumbers) {
  const auto run =
      run_with({stacks_of("heap", 2 * kSecond, 4 * kSecond, {{"a", 4096}, {"b", 7.6}}, "bytes")});
  EXPECT_EQ(exported(run, ExportFormat::kFolded), "a 4096\nb 8\n");
}

TEST(FoldedTest, WhatATerminalWouldObeyIsAQuestionMark) {
  const auto run = run_with({stacks_of("on_cpu", 2 * kSecond, 4 * kSecond,
                                       {{"a\xe2\x80\xae"
                                         "b;c\xc2\x9b"
                                         "31m;µs",
                                         0.001}})});
  EXPECT_EQ(exported(run, ExportFormat::kFolded), "a?b;c?31m;µs 1000\n");
}

TEST(FoldedTest, ANameStaysOnItsLine) {
  const auto run =
      run_with({stacks_of("on_cpu", 2 * kSecond, 4 * kSecond, {{"a\nb 1;c\x1b", 0.001}})});
  EXPECT_EQ(exported(run, ExportFormat::kFolded), "a?b 1;c? 1000\n");
}

TEST(SpeedscopeTest, HasEveryProfileWithSharedFrames) {
  const json file = json::parse(exported(two_profiles(), ExportFormat::kSpeedscope));
  EXPECT_EQ(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
  ASSERT_EQ(file["profiles"].size(), 2u);
  EXPECT_EQ(file["activeProfileIndex"], 0);
  const json& on_cpu = file["profiles"][0];
  EXPECT_EQ(on_cpu["name"], "on_cpu");
  EXPECT_EQ(on_cpu["type"], "sampled");
  EXPECT_EQ(on_cpu["unit"], "seconds");
  EXPECT_EQ(on_cpu["startValue"], 0);
  ASSERT_EQ(on_cpu["samples"].size(), on_cpu["weights"].size());
  double sum = 0;
  std::vector<std::string> stacks;
  for (size_t i = 0; i < on_cpu["samples"].size(); ++i) {
    std::string stack;
    for (const json& frame : on_cpu["samples"][i])
      stack += (stack.empty() ? "" : ";") +
               file["shared"]["frames"].at(frame.get<size_t>())["name"].get<std::string>();
    stacks.push_back(stack);
    sum += on_cpu["weights"][i].get<double>();
  }
  EXPECT_THAT(stacks, ::testing::ElementsAre("shop;main", "shop;main;a b", "shop;main;b"));
  EXPECT_DOUBLE_EQ(on_cpu["endValue"].get<double>(), sum);
  EXPECT_DOUBLE_EQ(sum, 0.75 + 1e-9);
}

TEST(SpeedscopeTest, OneProfileWhenItIsNamed) {
  const json file = json::parse(exported(two_profiles(), ExportFormat::kSpeedscope, "off_cpu"));
  ASSERT_EQ(file["profiles"].size(), 1u);
  EXPECT_EQ(file["profiles"][0]["name"], "off_cpu");
  EXPECT_EQ(file["activeProfileIndex"], 0);
}

TEST(SpeedscopeTest, UnitsAreThoseItKnowsAndNamesAreText) {
  const auto run =
      run_with({stacks_of("heap", 2 * kSecond, 4 * kSecond, {{"\"\\\xff", 5}}, "bytes"),
                stacks_of("faults", 2 * kSecond, 4 * kSecond, {{"a", 5}}, "1")});
  const json file = json::parse(exported(run, ExportFormat::kSpeedscope));
  EXPECT_EQ(file["profiles"][0]["unit"], "none");
  EXPECT_EQ(file["profiles"][1]["unit"], "bytes");
  EXPECT_EQ(file["shared"]["frames"][1]["name"], "\"\\\xef\xbf\xbd");
}

TEST(ExportTest, WhatIsNotThereIsSaidToBeSo) {
  for (const auto format : {ExportFormat::kFolded, ExportFormat::kSpeedscope}) {
    EXPECT_EQ(export_profiles(store::RunData(), format, "", false).status().code(),
              PLUMB_NOT_FOUND);
    EXPECT_EQ(export_profiles(two_profiles(), format, "heap", false).status().code(),
              PLUMB_NOT_FOUND);
  }
}

}  // namespace
}  // namespace plumb::profile
