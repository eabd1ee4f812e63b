// Tokens made here, and tokens of a token endpoint that speaks RFC 6749 to the letter.
#include "plugins/http_load/authorization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "plugins/http_load/jwt.h"
#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/oauth2.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kMorning = 1'767'225'600'000;  // 2026-01-01, in milliseconds

AuthPlan jwt_plan(const char* claims) {
  AuthPlan plan;
  plan.type = AuthPlan::Type::kJwt;
  plan.secret = "s3cret";
  plan.claims = claims;
  plan.ttl_ns = 100'000'000'000;
  return plan;
}

// The claims of "Bearer head.claims.signature".
json claims_of(const Credential& credential) {
  std::string text = credential.value->substr(credential.value->find('.') + 1);
  text = text.substr(0, text.find('.'));
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit =
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_").find(c);
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return json::parse(bytes);
}

TEST(Jwt, IsSignedAsOthersDo) {
  // The example of jwt.io.
  EXPECT_EQ(sign_hs256(R"({"sub":"1234567890","name":"John Doe","iat":1516239022})",
                       "your-256-bit-secret"),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI"
            "iwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c");
}

TEST(Jwt, IsMadeForEachUserAndAnewInTime) {
  const auto jwt = open_authorization(jwt_plan(R"({"sub":"load-{{user}}","n":"{{user|raw}}"})"));
  ASSERT_TRUE(jwt.is_ok()) << jwt.status().message();
  Credential mine;
  (*jwt)->renew(7, kMorning, mine);
  EXPECT_EQ(claims_of(mine), (json{{"sub", "load-7"},
                                   {"n", 7},
                                   {"iat", kMorning / 1'000},
                                   {"exp", kMorning / 1'000 + 100}}));
  const auto before = mine.value;
  (*jwt)->renew(7, kMorning + 79'999, mine);
  EXPECT_EQ(mine.value, before);
  (*jwt)->renew(7, kMorning + 80'000, mine);
  EXPECT_NE(*mine.value, *before);
}

TEST(Jwt, KeepsTheClaimsOfThePlan) {
  Credential mine;
  (*open_authorization(jwt_plan(R"({"exp":5,"iat":1})")))->renew(1, kMorning, mine);
  EXPECT_EQ(claims_of(mine), (json{{"exp", 5}, {"iat", 1}}));
  Credential bare;
  (*open_authorization(jwt_plan("{}")))->renew(1, kMorning, bare);
  EXPECT_EQ(claims_of(bare)["exp"], kMorning / 1'000 + 100);
  EXPECT_THAT(open_authorization(jwt_plan(R"({"sub":"{{usr}}"})")).status().message(),
              HasSubstr("load.auth.claims: column 11: there is no {{usr}}. Did you mean 'user'?"));
}

std::string answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A token endpoint that takes exactly what RFC 6749 says and nothing else.
class TokenEndpoint {
 public:
  explicit TokenEndpoint(int64_t expires_in_s) : expires_in_s_(expires_in_s) {}
  Reply operator()(const std::string& request) {
    const auto error = [](const char* status, const char* code) {
      return Reply{
          answer(status, json{{"error", code}, {"error_description", "s3cr3t+/ is no"}}.dump())};
    };
    if (!request.starts_with("POST /token HTTP/1.1\r\n")) return Reply{answer("404 Not Found", "")};
    if (request.find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") ==
        std::string::npos)
      return error("400 Bad Request", "invalid_request");
    // load%20test:s3cr3t%2B%2F
    if (request.find("\r\nAuthorization: Basic bG9hZCUyMHRlc3Q6czNjcjN0JTJCJTJG\r\n") ==
        std::string::npos)
      return error("401 Unauthorized", "invalid_client");
    const std::string form = request.substr(request.find("\r\n\r\n") + 4);
    const std::string newest = "rt" + std::to_string(granted_);
    json out = {{"token_type", "Bearer"}, {"expires_in", expires_in_s_}};
    if (form == "grant_type=client_credentials&scope=a%20b&audience=https%3A%2F%2Fapi") {
      // as it should be
    } else if (form == "grant_type=refresh_token&refresh_token=" + newest) {
      out["refresh_token"] = "rt" + std::to_string(granted_ + 1);
    } else {
      return error("400 Bad Request", "unsupported_grant_type");
    }
    out["access_token"] = "token-" + std::to_string(++granted_);
    return Reply{answer("200 OK", out.dump())};
  }

 private:
  int64_t expires_in_s_;
  int granted_ = 0;
};

AuthPlan client_plan(const std::string& url) {
  AuthPlan plan;
  plan.type = AuthPlan::Type::kOauth2;
  plan.token_url = url + "/token";
  plan.client_id = "load test";
  plan.client_secret = "s3cr3t+/";
  plan.scope = "a b";
  plan.audience = "https://api";
  return plan;
}

TEST(Oauth2, FetchesATokenBeforeItReturns) {
  LoopbackServer server(TokenEndpoint(3'600));
  const auto auth = open_authorization(client_plan(server.url()));
  ASSERT_TRUE(auth.is_ok()) << auth.status().message();
  Credential mine;
  (*auth)->renew(1, kMorning, mine);
  EXPECT_EQ(*mine.value, "Bearer token-1");
}

TEST(Oauth2, FetchesTheNextTokenBeforeTheOldOneExpires) {
  LoopbackServer server(TokenEndpoint(1));
  AuthPlan plan = client_plan(server.url());
  plan.scope = plan.audience = "";
  plan.refresh_token = "rt0";
  const auto auth = open_authorization(plan);
  ASSERT_TRUE(auth.is_ok()) << auth.status().message();
  Credential mine;
  (*auth)->renew(1, kMorning, mine);
  EXPECT_EQ(*mine.value, "Bearer token-1");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (*mine.value != "Bearer token-3" && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    (*auth)->renew(1, kMorning, mine);
  }
  EXPECT_EQ(*mine.value, "Bearer token-3") << "with the refresh token that came with the second";
}

TEST(Oauth2, SaysWhyThereIsNoToken) {
  LoopbackServer server(TokenEndpoint(1));
  AuthPlan plan = client_plan(server.url());
  plan.client_secret = "wr0ng";
  const std::string refused = open_authorization(plan).status().message();
  EXPECT_THAT(refused, AllOf(HasSubstr("load.auth: " + plan.token_url), HasSubstr("answered 401"),
                             HasSubstr("invalid_client"), Not(HasSubstr("wr0ng"))));
  plan = client_plan(server.url());
  plan.scope = "other";
  EXPECT_THAT(open_authorization(plan).status().message(),
              AllOf(HasSubstr("400: unsupported_grant_type: *** is no"), Not(HasSubstr("s3cr3t"))));
  plan.token_url = server.url() + "/tokens";
  EXPECT_THAT(open_authorization(plan).status().message(), HasSubstr("answered 404"));
  plan.token_url = "http://127.0.0.1:1/token";
  EXPECT_THAT(open_authorization(plan).status().message(), HasSubstr("Failed to connect"));
}

TEST(Oauth2, ReadsGrants) {
  const AuthPlan plan = client_plan("http://127.0.0.1");
  const auto problem = [&](int status, const char* body) {
    return parse_grant(status, body, plan).status().message();
  };
  const auto grant = parse_grant(
      200, R"({"access_token":"t","token_type":"bearer","expires_in":60,"refresh_token":"r"})",
      plan);
  EXPECT_EQ(grant->access_token, "t");
  EXPECT_EQ(grant->refresh_token, "r");
  EXPECT_EQ(grant->expires_in_s, 60);
  EXPECT_EQ(parse_grant(200, R"({"access_token":"t"})", plan)->expires_in_s, 0);
  EXPECT_EQ(problem(200, "<html>"), "answered no JSON object");
  EXPECT_EQ(problem(200, "{}"), "answered without an access_token");
  EXPECT_THAT(problem(200, R"({"access_token":"a\nb"})"), HasSubstr("control characters"));
  EXPECT_THAT(problem(200, R"({"access_token":"t","token_type":"mac"})"), HasSubstr("'mac'"));
  EXPECT_EQ(problem(500, "<html>"), "answered 500");
  EXPECT_EQ(problem(400, R"({"error":5})"), "answered 400");
}

}  // namespace
}  // namespace plumb::http_load
