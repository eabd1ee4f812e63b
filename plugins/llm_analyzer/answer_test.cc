#include "answer.h"

#include <gmock/gmock.h>

#include "example_analysis.h"
#include "prompt.h"

namespace plumb::llm_analyzer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AnswerTest : public testing::Test {
 protected:
  // Why the claim is dropped; empty when it is kept.
  std::string fault(const std::string& text, std::vector<std::string> ids) {
    const Judged judged = judge({{{text, std::move(ids)}}, ""}, analysis_);
    return judged.dropped.empty() ? "" : judged.dropped[0].reason;
  }
  Analysis analysis_ = parse_analysis(kExampleAnalysis).value();
};

TEST_F(AnswerTest, ClaimsWhoseNumbersAreCitedFactsAreKept) {
  EXPECT_EQ(fault("The 2 connections are busy 99% of the time.", {"F21", "F22"}), "");
  EXPECT_EQ(fault("Requests queue 69.4 ms.", {"F31"}), "");
  EXPECT_EQ(fault("The p95 of orders is 83 ms (F3).", {"F3"}), "");
  EXPECT_EQ(fault("The pool is the bottleneck: db-pool-exhausted.", {"F22"}), "");
  EXPECT_EQ(fault("All answers had status 200.", {"F3"}), "");
  EXPECT_EQ(fault("The verdict is Threat.", {"F22"}), "");
}

TEST_F(AnswerTest, InventedNumbersAreDropped) {
  EXPECT_THAT(fault("They are busy 97% of the time.", {"F22"}), HasSubstr("97"));
  EXPECT_THAT(fault("It would take 12 ms.", {"F31"}), HasSubstr("12"));
  EXPECT_THAT(fault("Requests queue 69.4 s.", {"F31"}), HasSubstr("69.4"));
  EXPECT_THAT(fault("About twenty connections.", {"F21"}), HasSubstr("twenty"));
  EXPECT_THAT(fault("The p99 is 83 ms.", {"F3"}), HasSubstr("99"));
  EXPECT_THAT(fault("It waits 200 ms.", {"F3"}), HasSubstr("200"));
  EXPECT_THAT(fault("Busy ９９％.", {"F22"}), HasSubstr("digits"));
}

TEST_F(AnswerTest, NumbersOfFactsThatAreNotCitedAreDropped) {
  EXPECT_THAT(fault("Requests queue 69.4 ms.", {"F22"}), HasSubstr("69.4"));
}

TEST_F(AnswerTest, ClaimsNeedFactsThatExist) {
  EXPECT_THAT(fault("The pool is small.", {}), HasSubstr("cites no fact"));
  EXPECT_THAT(fault("The pool is small.", {"F21", "F99"}), HasSubstr("F99"));
}

TEST_F(AnswerTest, OtherVerdictsAndCausesAreDropped) {
  EXPECT_THAT(fault("The system is Stable.", {"F22"}), HasSubstr("verdict stable"));
  EXPECT_THAT(fault("The cause is db-lock-contention.", {"F22"}), HasSubstr("db-lock-contention"));
  EXPECT_THAT(fault("It is DB lock contention.", {"F22"}), HasSubstr("db-lock-contention"));
  EXPECT_THAT(fault("This is app-made-up-thing.", {"F22"}), HasSubstr("app-made-up-thing"));
  EXPECT_EQ(fault("A second cause is db-slow-query.", {"F30"}), "")
      << "that one was found by a rule";
}

TEST_F(AnswerTest, SummaryMayUseWhatTheKeptClaimsCite) {
  const Claim good{"Busy 99%.", {"F22"}};
  EXPECT_EQ(judge({{good}, "It is 99% busy."}, analysis_).summary, "It is 99% busy.");
  const Judged bad = judge({{good}, "It costs 69.4 ms."}, analysis_);
  EXPECT_EQ(bad.summary, "");
  EXPECT_THAT(bad.dropped.at(0).reason, HasSubstr("the summary says 69.4"));
}

TEST_F(AnswerTest, ShapeIsCheckedToTheLetter) {
  const auto fails = [](const char* text, const char* why) {
    const auto answer = parse_answer(text);
    ASSERT_FALSE(answer.is_ok()) << text;
    EXPECT_THAT(answer.status().message(), HasSubstr(why));
  };
  fails("", "not valid JSON");
  fails("I think", "not valid JSON");
  fails("[]", "must be an object");
  fails(R"({"claims":[]})", "lacks the field \"summary\"");
  fails(R"({"claims":[],"summary":"","extra":1})", "not in the schema");
  fails(R"({"claims":{},"summary":""})", "must be an array");
  fails(R"({"claims":[],"summary":3})", "must be a string");
  fails(R"({"claims":[{"text":"x"}],"summary":""})", "claims[0] lacks");
  fails(R"({"claims":[{"text":"","evidence_ids":[]}],"summary":""})", "not empty");
  fails(R"({"claims":[{"text":"x","evidence_ids":"F1"}],"summary":""})", "array of fact ids");
  fails(R"({"claims":[{"text":"x","evidence_ids":[1]}],"summary":""})", "strings only");
  EXPECT_TRUE(parse_answer("```json\n{\"claims\":[],\"summary\":\"x\"}\n```").is_ok());
}

TEST_F(AnswerTest, HostileAnalysesDoNoHarm) {
  for (const char* text :
       {"", "[]", "{", "{\"facts\":{}}", "{\"facts\":[1,{\"id\":2}],\"verdict\":3}",
        "{\"findings\":[{\"evidence\":[1,[]],\"advice\":{}}],\"ledger\":[null]}"}) {
    const auto analysis = parse_analysis(text);
    if (analysis.is_ok()) build_prompt(*analysis);
  }
}

TEST_F(AnswerTest, StrangersTextStaysInTheDataAndIsTemplated) {
  const Prompt prompt = build_prompt(analysis_);
  EXPECT_THAT(prompt.user, Not(HasSubstr("ignore previous")));
  EXPECT_THAT(prompt.user, Not(HasSubstr("SECRET")));
  EXPECT_THAT(prompt.user, HasSubstr("SELECT * FROM t WHERE note = ?"));
  EXPECT_EQ(prompt.user.find("</data>"), prompt.user.rfind("</data>"));
  EXPECT_THAT(prompt.system, Not(HasSubstr("SELECT")));
  EXPECT_THAT(prompt.user, HasSubstr("83.2 ms"));
}

TEST_F(AnswerTest, PromptIsBoundedAndKeepsWhatFindingsRestOn) {
  for (int i = 1000; i < 6000; ++i)
    analysis_.facts.insert(analysis_.facts.begin(),
                           {"F" + std::to_string(i), std::string(200, 'n'), 1.0, "1", {}});
  const Prompt prompt = build_prompt(analysis_);
  EXPECT_LT(prompt.user.size(), 26'000u);
  for (const char* id : {"\"F21\"", "\"F22\"", "\"F30\""})
    EXPECT_THAT(prompt.user, HasSubstr(std::string("\"id\":") + id));
  EXPECT_THAT(prompt.user, HasSubstr("facts_left_out"));
}

}  // namespace
}  // namespace plumb::llm_analyzer
