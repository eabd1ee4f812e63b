#include "plugins/http_load/http2_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/http_load/trace_ids.h"

namespace plumb::http_load {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> fields_of(Http2Request& request, const std::string& ids) {
  std::vector<std::string> out;
  for (const nghttp2_nv& nv : request.fields(ids.data(), true))
    out.push_back(std::string(reinterpret_cast<const char*>(nv.name), nv.namelen) + "=" +
                  std::string(reinterpret_cast<const char*>(nv.value), nv.valuelen));
  return out;
}

const std::string kSomeIds(TraceIds::kIdsSize, '7');
const Origin kShop{.tls = true, .host = "shop.test", .port = "443", .authority = "shop.test"};

TEST(Http2Request, PseudoHeaderFieldsComeFirstAndIdsLast) {
  const Message message;
  Http2Request request(LoadPlan{}, message, kShop);
  EXPECT_THAT(fields_of(request, kSomeIds),
              ElementsAre(":method=GET", ":scheme=https", ":authority=shop.test", ":path=/",
                          "user-agent=plumb/0.1", "accept=*/*", "traceparent=" + kSomeIds));
}

TEST(Http2Request, WhatThePlanSaysGoesBeforeWhatIsUsual) {
  Message message;
  message.method = "PATCH";
  message.headers = {{"User-Agent", "me"},
                     {"Host", "other.test"},
                     {"Accept", " text/html\t"},
                     {"Authorization", "mine"},
                     {"traceparent", "fixed"}};
  LoadPlan plan;
  plan.authorization = "Bearer t0ken";
  Http2Request request(plan, message, kShop);
  EXPECT_FALSE(request.wants_ids());
  EXPECT_THAT(fields_of(request, kSomeIds),
              ElementsAre(":method=PATCH", ":scheme=https", ":authority=other.test", ":path=/",
                          "content-length=0", "user-agent=me", "accept=text/html",
                          "authorization=mine", "traceparent=fixed"));
}

TEST(Http2Request, LeavesOutWhatOnlyHttp1Has) {
  Message message;
  message.headers = {{"Connection", "close"},
                     {"Keep-Alive", "5"},
                     {"Transfer-Encoding", "chunked"},
                     {"Upgrade", "h2c"},
                     {"X-Kept", "a"}};
  message.body = "abc";
  Http2Request request(LoadPlan{}, message, kShop);
  const auto fields = fields_of(request, kSomeIds);
  EXPECT_THAT(fields, Contains("x-kept=a"));
  EXPECT_THAT(fields, Contains("content-length=3"));
  for (const char* name : {"connection", "keep-alive", "transfer-encoding", "upgrade"})
    EXPECT_THAT(fields, Not(Contains(StartsWith(name))));
  EXPECT_EQ(request.body(), "abc");
}

}  // namespace
}  // namespace plumb::http_load
