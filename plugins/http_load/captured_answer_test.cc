// What is kept of answers, and what extraction and checks find in it.
#include "plugins/http_load/captured_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/http_load/answer_checks.h"
#include "plugins/http_load/extraction.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kMillisecond = 1'000'000;

class Answer : public testing::Test {
 protected:
  void answer(const std::string& body, const std::string& header = "X",
              const std::string& value = "") {
    captured.expect(needs);
    captured.on_answer(200);
    captured.on_header(header, value);
    captured.on_body(body, 1);
  }
  std::string extract(ExtractPlan::From from, const std::string& what, bool one_line = false) {
    auto extraction = Extraction::compile({"v", from, what}, "load.requests[0].extract.v");
    if (!extraction.is_ok()) return extraction.status().message();
    std::string out = "before";
    const Status status = extraction->read(captured, one_line, out);
    return status.is_ok() ? "=" + out : status.message();
  }
  std::string check(const ChecksPlan& plan, int64_t response_ns = 1) {
    auto checks = AnswerChecks::compile(plan, "load.requests[0].checks");
    if (!checks.is_ok()) return checks.status().message();
    return checks->run(captured, response_ns).message();
  }

  AnswerNeeds needs{.body = true, .headers = {"X", "Location", "Set-Token"}};
  CapturedAnswer captured;
};

TEST_F(Answer, IsKeptAsFarAsItIsNeeded) {
  needs = {.body = false, .cookies = true, .headers = {"LOCATION"}};
  captured.expect(needs);
  captured.on_answer(302);
  captured.on_header("Location", "/stale");
  captured.on_answer(200);  // it went out once more
  captured.on_header("location", "/a");
  captured.on_header("location", "/b");
  captured.on_header("Set-Cookie", "a=1");
  captured.on_header("set-cookie", "b=2");
  captured.on_header("X", "y");
  EXPECT_TRUE(captured.on_body("text", 1));
  EXPECT_EQ(*captured.header("Location"), "/a");
  EXPECT_EQ(captured.header("X"), nullptr);
  EXPECT_THAT(captured.cookies(), ElementsAre("a=1", "b=2"));
  EXPECT_EQ(captured.body(), "");
}

TEST_F(Answer, IsBounded) {
  captured.expect(needs);
  captured.on_answer(200);
  const std::string piece(300'000, 'x');
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(captured.on_body(piece, 1));
  EXPECT_EQ(captured.body().size(), CapturedAnswer::kMostBody);
  EXPECT_TRUE(captured.is_cut());
  EXPECT_EQ(captured.document(), nullptr);
  EXPECT_EQ(extract(ExtractPlan::From::kJson, "/a"), "extract v: the answer is longer than 1 MiB");
  EXPECT_THAT(extract(ExtractPlan::From::kRegex, "y"),
              HasSubstr("in the first 1 MiB of the answer"));
  EXPECT_EQ(check({.contains = {"xxx"}}), "");
  EXPECT_THAT(check({.contains = {"y"}}), HasSubstr("the answer of more than 1 MiB"));
  for (int i = 0; i < 200; ++i) captured.on_header("X", "1");
  captured.on_header("X", std::string(100'000, 'x'));
  captured.release();
  EXPECT_THAT(captured.body(), IsEmpty());
  EXPECT_FALSE(captured.is_cut());
}

TEST_F(Answer, GivesValuesByPointer) {
  answer(R"({"data":{"token":"a b","n":7,"list":[1,{"id":"x"}]},"a/b":1.5,"nil":null})");
  const auto from = ExtractPlan::From::kJson;
  EXPECT_EQ(extract(from, "/data/token"), "=a b");
  EXPECT_EQ(extract(from, "/data/n"), "=7");
  EXPECT_EQ(extract(from, "/data/list/1/id"), "=x");
  EXPECT_EQ(extract(from, "/data/list"), "=[1,{\"id\":\"x\"}]");
  EXPECT_EQ(extract(from, "/a~1b"), "=1.5");
  EXPECT_EQ(extract(from, "/nil"), "=null");
  EXPECT_EQ(extract(from, "/data/tokn"), "extract v: the answer has no /data/tokn");
  EXPECT_EQ(extract(from, "/data/list/9"), "extract v: the answer has no /data/list/9");
  EXPECT_EQ(extract(from, "/data/list/01"), "extract v: the answer has no /data/list/01");
  EXPECT_EQ(extract(from, "/data/list/99999999999999999999"),
            "extract v: the answer has no /data/list/99999999999999999999");
  EXPECT_THAT(extract(from, "data"), HasSubstr("extract.v: 'data' is no JSON pointer"));
  answer("<html>");
  EXPECT_EQ(extract(from, "/data"), "extract v: the answer is no JSON");
}

TEST_F(Answer, GivesValuesByHeaderAndPattern) {
  answer("id=12&id=13", "location", "/orders/5");
  EXPECT_EQ(extract(ExtractPlan::From::kHeader, "Location"), "=/orders/5");
  EXPECT_EQ(extract(ExtractPlan::From::kHeader, "Set-Token"),
            "extract v: the answer has no header Set-Token");
  const auto from = ExtractPlan::From::kRegex;
  EXPECT_EQ(extract(from, "id=([0-9]+)"), "=12");
  EXPECT_EQ(extract(from, "[0-9]+&"), "=12&");
  EXPECT_EQ(extract(from, "id=(x)?"), "=");
  EXPECT_EQ(extract(from, "no=([0-9]+)"), "extract v: nothing in the answer matches no=([0-9]+)");
  EXPECT_THAT(extract(from, "("), HasSubstr("extract.v: no valid pattern"));
}

TEST_F(Answer, RefusesValuesThatDoNotFit) {
  answer("a\nb" + std::string(70'000, 'x'));
  EXPECT_EQ(extract(ExtractPlan::From::kRegex, "(?s)a.b"), "=a\nb");
  EXPECT_THAT(extract(ExtractPlan::From::kRegex, "(?s)a.b", true), HasSubstr("a header takes it"));
  EXPECT_THAT(extract(ExtractPlan::From::kRegex, "x+"), HasSubstr("longer than 64 KiB"));
}

TEST_F(Answer, IsCheckedForTextAndPatterns) {
  answer("Welcome, Ann");
  EXPECT_EQ(check({}), "");
  EXPECT_EQ(check({.contains = {"Ann", "Welcome"}, .matches = {"^Welc", "A.n"}}), "");
  EXPECT_EQ(check({.contains = {"Ann", "Bob"}}),
            "check contains: no 'Bob' in the answer of 12 bytes, which begins 'Welcome, Ann'");
  EXPECT_EQ(check({.matches = {"x+"}}),
            "check matches: no 'x+' in the answer of 12 bytes, which begins 'Welcome, Ann'");
  EXPECT_THAT(check({.matches = {"("}}), HasSubstr("checks.matches: no valid pattern"));
  answer(R"({"access_token":"s3cret"})");
  EXPECT_THAT(check({.contains = {"Bob"}}), Not(HasSubstr("s3cret")));
}

TEST_F(Answer, IsCheckedForJson) {
  answer(R"({"status":"ok","n":5,"list":[1],"token":"s3cret"})");
  EXPECT_EQ(check({.json = {{"/status", "\"ok\""}, {"/n", "5.0"}, {"/list", "[1]"}}}), "");
  EXPECT_EQ(check({.json = {{"/status", "\"no\""}}}), "check json: /status is \"ok\", not \"no\"");
  EXPECT_EQ(check({.json = {{"/state", "1"}}}), "check json: the answer has no /state");
  EXPECT_THAT(check({.json = {{"/token", "1"}}}),
              AllOf(HasSubstr("not shown"), Not(HasSubstr("s3cret"))));
  answer("<html>\n\x01");
  EXPECT_EQ(check({.json = {{"/a", "1"}}}),
            "check json: no JSON in the answer of 8 bytes, which begins '<html> ?'");
}

TEST_F(Answer, IsCheckedForHeadersAndTime) {
  answer("", "x", "application/json; charset=utf-8");
  EXPECT_EQ(check({.headers = {{"X", "application/json"}}}), "");
  EXPECT_EQ(check({.headers = {{"X", "html"}}}),
            "check header: X is application/json; charset=utf-8, without 'html'");
  EXPECT_EQ(check({.headers = {{"Location", ""}}}), "check header: the answer has no Location");
  EXPECT_EQ(check({.under_ns = 300 * kMillisecond}, 299 * kMillisecond), "");
  EXPECT_EQ(check({.under_ns = 300 * kMillisecond}, 412 * kMillisecond),
            "check under: it took 412 ms, not below 300 ms");
}

}  // namespace
}  // namespace plumb::http_load
