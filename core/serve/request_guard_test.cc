#include "core/serve/request_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::serve {
namespace {

RequestHead from(std::vector<std::pair<std::string, std::string>> headers,
                 std::string method = "GET") {
  RequestHead head;
  head.method = std::move(method);
  head.target = "/health";
  head.headers = std::move(headers);
  head.local_port = 7420;
  return head;
}

int status_of(const RequestHead& head) {
  const auto problem = check_origin(head);
  return problem ? problem->status : 200;
}

TEST(RequestGuard, TakesLoopbackNamesWithOurPort) {
  for (const char* host :
       {"127.0.0.1:7420", "localhost:7420", "LOCALHOST:7420", "[::1]:7420", "127.0.0.53:7420"}) {
    EXPECT_EQ(status_of(from({{"host", host}})), 200) << host;
  }
}

TEST(RequestGuard, RefusesEveryOtherHost) {
  for (const char* host :
       {"", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:07420", "127.0.0.1:7420 ", "127.1:7420",
        "evil.example:7420", "127.0.0.1.evil.example:7420", "localhost.evil.example:7420",
        "localhost.:7420", "localhost", "[::1]", "[::2]:7420", "::1:7420", "0.0.0.0:7420",
        "10.0.0.1:7420", "user@127.0.0.1:7420", "2130706433:7420", "[::ffff:127.0.0.1]:7420"}) {
    EXPECT_EQ(status_of(from({{"host", host}})), 403) << host;
  }
}

TEST(RequestGuard, RefusesARequestWithoutExactlyOneHost) {
  EXPECT_EQ(status_of(from({})), 400);
  EXPECT_EQ(status_of(from({{"host", "localhost:7420"}, {"host", "localhost:7420"}})), 400);
}

TEST(RequestGuard, MayLeaveOutPort80) {
  RequestHead head = from({{"host", "localhost"}});
  head.local_port = 80;
  EXPECT_EQ(status_of(head), 200);
}

TEST(RequestGuard, TakesOurOwnOriginOnly) {
  const auto with_origin = [](const char* origin) {
    return status_of(from({{"host", "localhost:7420"}, {"origin", origin}}));
  };
  EXPECT_EQ(with_origin("http://localhost:7420"), 200);
  EXPECT_EQ(with_origin("http://127.0.0.1:7420"), 200);
  for (const char* origin :
       {"null", "", "http://localhost", "http://localhost:3000", "https://localhost:7420",
        "http://evil.example:7420", "http://localhost:7420.evil.example", "localhost:7420"}) {
    EXPECT_EQ(with_origin(origin), 403) << origin;
  }
}

TEST(RequestGuard, LooksAtEveryOriginHeader) {
  EXPECT_EQ(status_of(from({{"host", "localhost:7420"},
                            {"origin", "http://localhost:7420"},
                            {"origin", "http://evil.example"}})),
            403);
}

TEST(RequestGuard, RefusesWhatAPageOfAnotherSiteAsksFor) {
  const auto with_site = [](const char* site, const char* method) {
    return status_of(from({{"host", "localhost:7420"}, {"sec-fetch-site", site}}, method));
  };
  EXPECT_EQ(with_site("cross-site", "GET"), 403);
  EXPECT_EQ(with_site("same-site", "POST"), 403);
  EXPECT_EQ(with_site("same-site", "GET"), 200);
  EXPECT_EQ(with_site("same-origin", "POST"), 200);
  EXPECT_EQ(with_site("none", "GET"), 200);
}

TEST(RequestGuard, RefusesATargetThatIsNoPath) {
  for (const char* target : {"", "*", "http://127.0.0.1:7420/health", "health"}) {
    RequestHead head = from({{"host", "localhost:7420"}});
    head.target = target;
    EXPECT_EQ(status_of(head), 400) << target;
  }
}

TEST(RequestGuard, TakesTheTokenAsBearerOnly) {
  const std::string token = "0123456789abcdef";
  const auto refused = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return check_token(from(std::move(headers)), token).has_value();
  };
  EXPECT_FALSE(refused({{"authorization", "Bearer 0123456789abcdef"}}));
  EXPECT_FALSE(refused({{"authorization", "bearer 0123456789abcdef"}}));
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({{"authorization", ""}}));
  EXPECT_TRUE(refused({{"authorization", "Bearer"}}));
  EXPECT_TRUE(refused({{"authorization", "Bearer "}}));
  EXPECT_TRUE(refused({{"authorization", "Bearer 0123456789abcdeF"}}));
  EXPECT_TRUE(refused({{"authorization", "Bearer 0123456789abcdef0"}}));
  EXPECT_TRUE(refused({{"authorization", "Basic 0123456789abcdef"}}));
  EXPECT_TRUE(refused({{"authorization", "Bearer 0123456789abcdef"},
                       {"authorization", "Bearer 0123456789abcdef"}}));
}

TEST(RequestGuard, NeverRepeatsAToken) {
  const auto problem =
      check_token(from({{"authorization", "Bearer wrong-but-mine"}}), "0123456789abcdef");
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->detail.find("wrong-but-mine"), std::string::npos);
  EXPECT_EQ(problem->detail.find("0123456789abcdef"), std::string::npos);
}

TEST(RequestGuard, TakesJsonAndYamlWithOrWithoutParameters) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8",
                           "application/yaml", "application/x-yaml", "text/yaml"}) {
    EXPECT_FALSE(check_content_type(from({{"content-type", type}}))) << type;
  }
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=x", "application/jsonx"}) {
    EXPECT_TRUE(check_content_type(from({{"content-type", type}}))) << type;
  }
  EXPECT_TRUE(check_content_type(from({})));
}

}  // namespace
}  // namespace plumb::serve
