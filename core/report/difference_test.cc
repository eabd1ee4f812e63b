#include "core/report/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/report/plain_text.h"
#include "core/report/testdata/hostile_text.h"
#include "core/report/testdata/sample_run.h"
#include "core/report/testdata/sample_stacks.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// The sample run against itself before a change; see sample_stacks.h.
json make_changed_document() {
  testing::SampleOptions options;
  options.profiles = true;
  const store::RunData run = testing::sample_run(options);
  store::RunData base = testing::sample_run(options);
  base.header.id = "20261119T091500Z-1a2b";
  base.stacks = testing::sample_stacks_before(base);
  const auto difference = profile::compare_profiles(run, base, "on_cpu", false);
  EXPECT_TRUE(difference.is_ok()) << difference.status().message();
  return difference_json(*difference);
}

const json& changed_document() {
  static const json document = make_changed_document();
  return document;
}

std::vector<std::string> names_of(const json& rows) {
  std::vector<std::string> out;
  for (const json& row : rows) out.push_back(row["name"]);
  return out;
}

TEST(Difference, NamesWhatGainedAndWhatLostTheLargestFirst) {
  const json document = changed_document();
  EXPECT_EQ(document["basis"], "request");
  const auto gained = names_of(document["gained"]);
  ASSERT_GE(gained.size(), 3u);
  EXPECT_EQ(gained[0], "longest_match");
  EXPECT_EQ(gained[1], "pcache1Fetch");
  EXPECT_THAT(names_of(document["lost"])[0], HasSubstr("std::__introsort_loop"));
  for (const json& row : document["gained"]) EXPECT_GT(row["change"].get<double>(), 0);
  for (const json& row : document["lost"]) EXPECT_LT(row["change"].get<double>(), 0);
  EXPECT_EQ(document["base"]["id"], "20261119T091500Z-1a2b");
  EXPECT_EQ(document["tree"]["weights"].size(), document["tree"]["base_weights"].size());
}

TEST(Difference, TheConsoleSaysItInOneSentenceAndTwoLists) {
  const std::string text = difference_to_console(changed_document(), {});
  EXPECT_THAT(text, HasSubstr("of each request in run 20261120T104512Z-7f3a"));
  EXPECT_THAT(text, HasSubstr("more."));
  EXPECT_THAT(text, HasSubstr("Gained, by share of the whole\n"));
  EXPECT_THAT(text, HasSubstr("longest_match"));
  EXPECT_LT(text.find("longest_match"), text.find("Lost"));
}

TEST(Difference, ThePageShowsWhatIsGoneInBlueAndWhatIsNewInRed) {
  const std::string html = difference_to_html(changed_document());
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(html, ::testing::ContainsRegex("class=\"more[3-5]\"><title>compress_body"));
  EXPECT_THAT(html, ::testing::ContainsRegex("class=\"less[3-5]\"><title>sort_rows"));
  EXPECT_LT(html.size(), 500u * 1024);
}

TEST(Difference, ARunAgainstItselfHasNoChange) {
  testing::SampleOptions options;
  options.profiles = true;
  const store::RunData run = testing::sample_run(options);
  const auto difference = profile::compare_profiles(run, run, "on_cpu", false);
  ASSERT_TRUE(difference.is_ok());
  const json document = difference_json(*difference);
  EXPECT_TRUE(document["gained"].empty());
  EXPECT_TRUE(document["lost"].empty());
  EXPECT_THAT(difference_to_console(document, {}), HasSubstr("the same."));
  const std::string html = difference_to_html(document);
  EXPECT_THAT(html, Not(HasSubstr("class=\"more1\"")));
  EXPECT_THAT(html, HasSubstr("Functions that gained most: none."));
}

TEST(Difference, HostileTextAndForgedDocumentsHarmNobody) {
  const json document = changed_document();
  const json hostile = testing::with_every_text(document, testing::kHostile);
  const std::string html = difference_to_html(hostile);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(html, valid_utf8(html));
  EXPECT_THAT(difference_to_console(hostile, {}), Not(HasSubstr("\x1b")));
  for (const auto& [key, value] : document.items())
    for (const json& wrong : {json("x"), json(-1), json::array({1})}) {
      json forged = document;
      forged[key] = wrong;
      EXPECT_FALSE(difference_to_html(forged).empty()) << key;
      EXPECT_FALSE(difference_to_console(forged, {.width = -1}).empty()) << key;
    }
  EXPECT_FALSE(difference_to_html(json()).empty());
}

}  // namespace
}  // namespace plumb::report
