#include "plugins/http_load/trace_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace plumb::http_load {
namespace {

TEST(TraceIds, FollowTheFormatAndDoNotRepeat) {
  TraceIds ids(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    TraceIds::Header header;
    ids.next(header);
    ASSERT_EQ(header.back(), '\0');
    ASSERT_THAT(header.data(),
                testing::MatchesRegex("traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
    ASSERT_TRUE(seen.insert(header.data()).second);
  }
}

TEST(TraceIds, AreTheSameForTheSameSeed) {
  TraceIds::Header one;
  TraceIds::Header two;
  TraceIds(5).next(one);
  TraceIds(5).next(two);
  EXPECT_STREQ(one.data(), two.data());
}

}  // namespace
}  // namespace plumb::http_load
