#include "plugins/http_load/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace plumb::http_load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

int64_t some_day() { return 1'767'225'600'123; }  // 2026-01-01

class TemplateText : public testing::Test {
 protected:
  TemplateText() {
    for (const char* name : {"token", "users.email", "users.First name"}) names.add(name);
  }
  std::string render(const std::string& text, TemplatePlace place = TemplatePlace::kBody,
                     uint64_t draw = 1) {
    auto compiled = Template::compile(text, place, names);
    if (!compiled.is_ok()) return "error: " + compiled.status().message();
    Random random(draw);
    std::string out = "what stood here before";
    compiled->render({values, 3, 14, random, some_day}, out);
    return out;
  }

  TemplateNames names;
  std::vector<std::string> values = {"a/b \"c\"\n", "ann@example.org", "Ann"};
};

TEST_F(TemplateText, PutsValuesInPlaceOfNames) {
  EXPECT_EQ(render("plain"), "plain");
  EXPECT_EQ(render(""), "");
  EXPECT_EQ(render("{{users.email}}"), "ann@example.org");
  EXPECT_EQ(render("mail {{ users.email }}, {{users.First name}}!"), "mail ann@example.org, Ann!");
  EXPECT_EQ(render("{{user}}-{{iteration}} {{now}} {{date}}"), "3-14 1767225600123 2026-01-01");
}

TEST_F(TemplateText, KeepsBracesThatAreDoubled) {
  EXPECT_EQ(render("{{{{ not a name }}"), "{{ not a name }}");
  EXPECT_EQ(render("{{{{{{user}}"), "{{3");
  EXPECT_EQ(render("{\"a\":{\"b\":1}}"), "{\"a\":{\"b\":1}}");
}

TEST_F(TemplateText, EncodesForItsPlaceUnlessRaw) {
  EXPECT_EQ(render("/x/{{token}}", TemplatePlace::kPath), "/x/a%2Fb%20%22c%22%0A");
  EXPECT_EQ(render("/x/{{token|url}}", TemplatePlace::kPath), "/x/a%2Fb%20%22c%22%0A");
  EXPECT_EQ(render("/x/{{token|raw}}", TemplatePlace::kPath), "/x/a/b%20\"c\"%0A");
  EXPECT_EQ(render("Bearer {{token}}", TemplatePlace::kHeader), "Bearer a/b \"c\"");
  EXPECT_EQ(render("{{token}}", TemplatePlace::kBody), "a/b \"c\"\n");
  EXPECT_EQ(render(R"({"t":"{{token}}"})", TemplatePlace::kJsonBody), R"({"t":"a/b \"c\"\n"})");
}

TEST_F(TemplateText, AppliesFiltersInOrder) {
  EXPECT_EQ(render("{{users.First name|base64}}"), "QW5u");
  EXPECT_EQ(render("{{users.First name|base64|base64}}"), "UVc1dQ==");
  EXPECT_EQ(render("{{users.First name | base64 | base64 | url}}"), "UVc1dQ%3D%3D");
  EXPECT_EQ(render("/{{users.First name|base64|base64}}", TemplatePlace::kPath), "/UVc1dQ%3D%3D");
  EXPECT_EQ(render("{{token|json}}"), "a/b \\\"c\\\"\\n");
}

TEST_F(TemplateText, MakesNumbersOfRawTextsInJson) {
  values[0] = "[7]";
  EXPECT_EQ(render(R"({"n":"{{user|raw}}","l":["{{token|raw}}","x"]})", TemplatePlace::kJsonBody),
            R"({"n":3,"l":[[7],"x"]})");
  EXPECT_EQ(render(R"({"n":"no {{user|raw}}","m":"\"{{user|raw}}"})", TemplatePlace::kJsonBody),
            R"({"n":"no 3","m":"\"3"})");
  EXPECT_EQ(render(R"("{{user|raw}}"{{user|raw}}")", TemplatePlace::kJsonBody), "33\"");
  EXPECT_EQ(render(R"({"n":"{{user|raw}}"})"), R"({"n":"3"})") << "a body that was not `json:`";
}

TEST_F(TemplateText, DrawsTheSameFromTheSameSeed) {
  EXPECT_EQ(render("{{random(1,1000000)}}"), render("{{random(1,1000000)}}"));
  EXPECT_NE(render("{{random(1,1000000)}}"),
            render("{{random(1,1000000)}}", TemplatePlace::kBody, 2));
  EXPECT_THAT(render("{{uuid()}}"),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(render("{{random(-5,-5)}}{{random(0,0)}}"), "-50");
  std::vector<int> seen(3);
  for (uint64_t draw = 0; draw < 100; ++draw)
    ++seen.at(
        static_cast<size_t>(std::stoi(render("{{random(-1,1)}}", TemplatePlace::kBody, draw)) + 1));
  for (const int count : seen) EXPECT_GT(count, 10);
}

TEST_F(TemplateText, SaysWhereItIsWrong) {
  const auto problem = [&](const char* text) { return render(text); };
  EXPECT_EQ(problem("/a/{{tokn}}"), "error: column 6: there is no {{tokn}}. Did you mean 'token'?");
  EXPECT_THAT(problem("{{email}}"), HasSubstr("Did you mean 'users.email'?"));
  EXPECT_THAT(problem("{{rndom(1,2)}}"), HasSubstr("there is no {{rndom(1,2)}}."));
  EXPECT_THAT(problem("{{zzzzzz}}"), HasSubstr("Known here: token, users.email"));
  EXPECT_THAT(problem("ab {{token"), HasSubstr("column 4: {{ without its }}"));
  EXPECT_THAT(problem("{{}}"), HasSubstr("names nothing"));
  EXPECT_THAT(problem("{{token|urll}}"), HasSubstr("no filter 'urll'. Did you mean 'url'?"));
  EXPECT_THAT(problem("{{token|}}"), HasSubstr("no filter ''"));
  EXPECT_THAT(problem("{{random}}"), HasSubstr("two whole numbers"));
  EXPECT_THAT(problem("{{random(5,1)}}"), HasSubstr("the lower first"));
  EXPECT_THAT(problem("{{random(1,2}}"), HasSubstr("a ( without its )"));
  EXPECT_THAT(problem("{{uuid(4)}}"), HasSubstr("takes nothing in parentheses"));
}

TEST_F(TemplateText, SaysWhatItTakes) {
  const auto plain = Template::compile("{{{{x", TemplatePlace::kHeader, names);
  EXPECT_TRUE(plain->is_plain());
  EXPECT_THAT(plain->slots(), IsEmpty());
  const auto compiled = Template::compile(
      "{{token|base64}} {{users.email}} {{users.email}} {{now}}", TemplatePlace::kHeader, names);
  EXPECT_FALSE(compiled->is_plain());
  EXPECT_THAT(compiled->slots(), ElementsAre(0u, 1u));
  EXPECT_THAT(compiled->line_slots(), ElementsAre(1u));
  EXPECT_FALSE(Template::compile("{{now}}", TemplatePlace::kPath, names)->is_plain());
}

TEST_F(TemplateText, CanBeCheckedWithoutItsPlaceholders) {
  EXPECT_EQ(without_placeholders("/a/{{ b c|raw }}/d?{{e}}"), "/a/x/d?x");
  EXPECT_EQ(without_placeholders("/a{{{{b"), "/ab");
  EXPECT_EQ(without_placeholders("/a{{b"), "/a");
}

}  // namespace
}  // namespace plumb::http_load
