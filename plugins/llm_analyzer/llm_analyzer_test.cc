#include "llm_analyzer.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "example_analysis.h"
#include "http_post.h"
#include "mock_server.h"

namespace plumb::llm_analyzer {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = MockServer::Kind;

constexpr char kKey[] = "sk-test-KEYKEYKEY-0123456789";
constexpr char kGood[] =
    R"({"claims":[{"text":"The 2 connections are busy 99% of the time.","evidence_ids":["F21","F22"]}],)"
    R"("summary":"The pool is busy 99% of the time."})";

struct Options {
  std::string provider = "anthropic";
  std::string key = kKey;
  int64_t timeout_ms = 10'000;
};

class LlmAnalyzerTest : public testing::TestWithParam<const char*> {
 protected:
  LlmAnalyzerTest() {
    host_.struct_size = sizeof(host_);
    host_.context = this;
    host_.log = [](void* self, uint32_t, const char* message) {
      static_cast<LlmAnalyzerTest*>(self)->log_ += message;
    };
  }

  Status configure(LlmAnalyzer& analyzer, const std::string& url, const Options& options) {
    const auto text = [](const char* key, const char* value) {
      return plumb_value{sizeof(plumb_value), PLUMB_OPTION_STRING, key, value, 0, 0};
    };
    const auto integer = [](const char* key, int64_t value) {
      return plumb_value{sizeof(plumb_value), PLUMB_OPTION_INTEGER, key, nullptr, value, 0};
    };
    const std::vector<plumb_value> values = {text("provider", options.provider.c_str()),
                                             text("model", "some-model"),
                                             text("api_key", options.key.c_str()),
                                             text("base_url", url.c_str()),
                                             integer("max_tokens", 1024),
                                             integer("timeout", options.timeout_ms * 1'000'000)};
    const plumb_config config{sizeof(plumb_config), static_cast<uint32_t>(values.size()),
                              values.data(), "{}"};
    return analyzer.configure(Config(&config));
  }

  // Runs the script and checks what holds for every run: well-formed requests, and no key anywhere.
  json run(std::vector<MockServer::Step> script, Options options = {},
           const char* analysis = kExampleAnalysis) {
    MockServer server(kKey, std::move(script));
    LlmAnalyzer analyzer{Host(&host_)};
    const Status status = configure(analyzer, server.url(), options);
    EXPECT_TRUE(status.is_ok()) << status.message();
    const auto result = analyzer.analyze(analysis);
    EXPECT_TRUE(result.is_ok()) << result.status().message();
    requests_ = server.requests();
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_THAT(*result + log_, Not(HasSubstr("KEYKEYKEY")));
    for (const json& request : requests_) EXPECT_THAT(request.dump(), Not(HasSubstr("KEYKEYKEY")));
    const json out = json::parse(*result);
    EXPECT_EQ(out.at("prompt_version"), 1);
    EXPECT_EQ(out.at("model"), "some-model");
    return out;
  }

  plumb_host host_{};
  std::string log_;
  std::vector<json> requests_;
};

TEST_P(LlmAnalyzerTest, GoodAnswerIsPassedOn) {
  const json out = run({{Kind::kText, kGood}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "ok");
  EXPECT_EQ(out.at("provider"), GetParam());
  EXPECT_THAT(out.at("claims"), SizeIs(1));
  EXPECT_EQ(out.at("claims")[0].at("evidence_ids"), json({"F21", "F22"}));
  EXPECT_EQ(out.at("summary"), "The pool is busy 99% of the time.");
  EXPECT_THAT(out.at("dropped"), IsEmpty());
  EXPECT_EQ(out.at("tokens"), json({{"input", 100}, {"output", 20}}));
}

TEST_P(LlmAnalyzerTest, UnusableAnswerIsSentBackOnceWithTheReason) {
  const json out =
      run({{Kind::kText, "Sure! Here it is."}, {Kind::kText, kGood}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "ok");
  EXPECT_EQ(out.at("tokens").at("input"), 200);
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_THAT(requests_[1].at("messages").back().at("content").get<std::string>(),
              HasSubstr("not valid JSON"));
}

TEST_P(LlmAnalyzerTest, TwoUnusableAnswersFallBackToTheRulesOwnConclusion) {
  const json out = run({{Kind::kText, "no"}, {Kind::kText, "{}"}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("twice"));
  EXPECT_EQ(out.at("summary"), "The connection pool holds every request up.");
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_P(LlmAnalyzerTest, ClaimsThatDoNotHoldAreDroppedAndCounted) {
  const json out = run({{Kind::kText,
                         R"({"claims":[
          {"text":"Busy 99% of the time.","evidence_ids":["F22"]},
          {"text":"A larger pool would answer in 12 ms.","evidence_ids":["F22"]},
          {"text":"The pool is small.","evidence_ids":["F77"]},
          {"text":"The system is stable.","evidence_ids":["F22"]},
          {"text":"It is db-lock-contention.","evidence_ids":["F22"]}],
          "summary":"It would be 500 ms."})"}},
                       {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "ok");
  EXPECT_THAT(out.at("claims"), SizeIs(1));
  EXPECT_THAT(out.at("dropped"), SizeIs(5));
  EXPECT_EQ(out.at("summary"), "The connection pool holds every request up.");
}

TEST_P(LlmAnalyzerTest, InjectedTextNeverReachesTheModel) {
  run({{Kind::kText, kGood}}, {.provider = GetParam()});
  ASSERT_THAT(requests_, SizeIs(1));
  EXPECT_THAT(requests_[0].dump(), Not(HasSubstr("ignore previous")));
  EXPECT_THAT(requests_[0].at("messages").back().at("content").get<std::string>(),
              HasSubstr("SELECT * FROM t WHERE note = ?"));
}

TEST_P(LlmAnalyzerTest, WrongKeyFallsBackWithoutShowingIt) {
  const json out = run({}, {.provider = GetParam(), .key = "sk-other-KEYKEYKEY-9876543210"});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("401 authentication_error"));
}

TEST_P(LlmAnalyzerTest, ServerFailureFallsBack) {
  const json out = run({{Kind::kStatus, "", 500}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("HTTP 500"));
  EXPECT_THAT(requests_, SizeIs(1));
}

TEST_P(LlmAnalyzerTest, RateLimitIsWaitedForWhereTheTimeAllows) {
  const json out = run({{Kind::kStatus, "", 429, "retry-after: 0\r\n"}, {Kind::kText, kGood}},
                       {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "ok");
}

TEST_P(LlmAnalyzerTest, RateLimitBeyondTheTimeFallsBackAtOnce) {
  const json out =
      run({{Kind::kStatus, "", 429, "retry-after: 3600\r\n"}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("HTTP 429"));
  EXPECT_THAT(requests_, SizeIs(1));
}

TEST_P(LlmAnalyzerTest, HangingServerFallsBackWhenTheTimeIsOver) {
  const json out = run({{Kind::kHang}}, {.provider = GetParam(), .timeout_ms = 300});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("in time"));
}

TEST_P(LlmAnalyzerTest, OversizedResponseIsNotReadToItsEnd) {
  const json out = run({{Kind::kRaw, std::string(2u << 20, 'x')}}, {.provider = GetParam()});
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("larger than 1 MiB"));
}

TEST_P(LlmAnalyzerTest, ForeignBodyFallsBack) {
  EXPECT_EQ(run({{Kind::kRaw, "<html>"}}, {.provider = GetParam()}).at("status"), "fallback");
  EXPECT_EQ(
      run({{Kind::kRaw, "{\"content\":1,\"choices\":[]}"}}, {.provider = GetParam()}).at("status"),
      "fallback");
}

TEST_P(LlmAnalyzerTest, RedirectIsNotFollowed) {
  const json out = run({{Kind::kStatus, "", 307, "location: http://127.0.0.1:1/\r\n"}},
                       {.provider = GetParam()});
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("redirects are not followed"));
}

TEST_P(LlmAnalyzerTest, KeyThatTheModelRepeatsIsRemoved) {
  const json out =
      run({{Kind::kText, std::string(R"({"claims":[{"text":"Key )") + kKey +
                             R"(","evidence_ids":["F22"]}],"summary":")" + kKey + R"("})"}},
          {.provider = GetParam()});
  EXPECT_THAT(out.dump(), Not(HasSubstr(kKey)));
}

TEST_P(LlmAnalyzerTest, RunWithoutFactsIsNotSentAtAll) {
  const json out = run({}, {.provider = GetParam()}, "{}");
  EXPECT_EQ(out.at("status"), "fallback");
  EXPECT_THAT(requests_, IsEmpty());
  EXPECT_EQ(run({}, {.provider = GetParam()}, "no json").at("status"), "fallback");
}

INSTANTIATE_TEST_SUITE_P(Providers, LlmAnalyzerTest, testing::Values("anthropic", "openai"),
                         [](const auto& of) { return std::string(of.param); });

TEST_F(LlmAnalyzerTest, ServerThatKnowsNoSchemaIsAskedWithoutOne) {
  const json out = run({{Kind::kStatus, "", 400}, {Kind::kText, kGood}}, {.provider = "openai"});
  EXPECT_EQ(out.at("status"), "ok");
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_TRUE(requests_[0].contains("response_format"));
  EXPECT_FALSE(requests_[1].contains("response_format"));
}

TEST_F(LlmAnalyzerTest, RefusalFallsBack) {
  const json out = run({{Kind::kText, "", 200, "", "refusal"}});
  EXPECT_THAT(out.at("reason").get<std::string>(), HasSubstr("refused"));
}

TEST_F(LlmAnalyzerTest, InterruptEndsItBeforeItAsks) {
  MockServer server(kKey, {});
  LlmAnalyzer analyzer{Host(&host_)};
  ASSERT_TRUE(configure(analyzer, server.url(), {}).is_ok());
  analyzer.interrupt();
  const auto result = analyzer.analyze(kExampleAnalysis);
  ASSERT_TRUE(result.is_ok());
  EXPECT_EQ(json::parse(*result).at("status"), "fallback");
}

TEST_F(LlmAnalyzerTest, ConfigurationIsCheckedAndNeverShowsTheKey) {
  const auto message = [&](const std::string& url, const Options& options) {
    LlmAnalyzer analyzer{Host(&host_)};
    return configure(analyzer, url, options).message();
  };
  EXPECT_THAT(message("https://x.example", {.provider = "oracle"}), HasSubstr("provider"));
  EXPECT_THAT(message("http://x.example", {}), HasSubstr("must be https"));
  EXPECT_THAT(message("http://127.0.0.1.x.example", {}), HasSubstr("must be https"));
  EXPECT_THAT(message("ftp://127.0.0.1", {}), HasSubstr("must be https"));
  EXPECT_THAT(message("https://u:p@x.example", {}), HasSubstr("api_key"));
  EXPECT_THAT(message("https://x.example/?a=b", {}), HasSubstr("query"));
  EXPECT_THAT(message("not a url", {}), HasSubstr("base_url"));
  EXPECT_THAT(message("https://x.example", {.key = ""}), HasSubstr("ANTHROPIC_API_KEY"));
  const std::string split = message("https://x.example", {.key = "KEYKEYKEY\r\nx: y"});
  EXPECT_THAT(split, HasSubstr("line break"));
  EXPECT_THAT(split, Not(HasSubstr("KEYKEYKEY")));
  for (const char* url :
       {"http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1", "", "https://x.example/v1/"})
    EXPECT_EQ(message(url, {}), "") << url;
}

}  // namespace
}  // namespace plumb::llm_analyzer
