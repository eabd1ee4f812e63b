#include "plugins/http_load/http1_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plumb::http_load {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string sent(const Request& request, const std::string& authorization = {}) {
  LoadPlan plan;
  plan.authorization = authorization;
  TraceIds traces(1);
  return std::string(Http1Request(plan, request, "shop.test:8080").next(traces));
}

TEST(Http1Request, CarriesEverythingThePlanSays) {
  Request request;
  request.method = "PUT";
  request.path = "/cart?id=7";
  request.headers = {{"X-Empty", ""}, {"Content-Type", "application/json"}};
  request.body = "{\"a\":1}";
  const std::string bytes = sent(request, "Bearer t0ken");
  EXPECT_THAT(bytes, testing::StartsWith("PUT /cart?id=7 HTTP/1.1\r\nHost: shop.test:8080\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Authorization: Bearer t0ken\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(bytes, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(bytes, testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST(Http1Request, LeavesThePlansOwnHeadersAlone) {
  Request request;
  request.headers = {{"host", "other"},
                     {"USER-AGENT", "mine"},
                     {"authorization", "Basic x"},
                     {"traceparent", "00-1-2-01"}};
  const std::string bytes = sent(request, "Bearer t0ken");
  EXPECT_THAT(bytes, Not(HasSubstr("shop.test")));
  EXPECT_THAT(bytes, Not(HasSubstr("plumb/")));
  EXPECT_THAT(bytes, Not(HasSubstr("t0ken")));
  EXPECT_THAT(bytes, HasSubstr("traceparent: 00-1-2-01\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("traceparent: 00-0")));
}

TEST(Http1Request, GivesEachRequestItsOwnTrace) {
  LoadPlan plan;
  Http1Request request(plan, Request{}, "h");
  TraceIds traces(1);
  const std::string first(request.next(traces));
  const std::string second(request.next(traces));
  EXPECT_THAT(first, testing::ContainsRegex("traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
  EXPECT_EQ(first.size(), second.size());
  EXPECT_NE(first, second);
}

TEST(Http1Request, SaysThatAPostWithoutABodyIsEmpty) {
  Request request;
  request.method = "POST";
  EXPECT_THAT(sent(request), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(sent(Request{}), Not(HasSubstr("Content-Length")));
}

}  // namespace
}  // namespace plumb::http_load
