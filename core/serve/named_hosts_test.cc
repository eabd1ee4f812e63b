#include "core/serve/named_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::serve {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NamedHosts, AreThoseOfUrlsAtAnyDepth) {
  EXPECT_THAT(named_hosts({{"url", "http://shop.example:9100/metrics"},
                           {"more", {{{"urls", {"https://[fd00::1]:8443/", "/metrics"}}}}}}),
              testing::UnorderedElementsAre("shop.example", "fd00::1"));
  EXPECT_THAT(named_hosts(json("http://me:p@ss@inside.example/x@127.0.0.1")),
              ElementsAre("inside.example"));
}

TEST(NamedHosts, AreThoseOfConnectionStrings) {
  EXPECT_THAT(named_hosts(json("postgresql://u:p@a.example:5432,b.example/db?sslmode=require")),
              ElementsAre("a.example", "b.example"));
  EXPECT_THAT(named_hosts(json("dbname=shop host = 'a.example,b.example' port=5432")),
              ElementsAre("a.example", "b.example"));
  EXPECT_THAT(named_hosts(json("postgresql:///shop?host=a.example&hostaddr=10.1.2.3")),
              ElementsAre("a.example", "10.1.2.3"));
}

TEST(NamedHosts, OfThisMachineBySocketNeedNoName) {
  EXPECT_THAT(named_hosts(json("postgresql:///shop?host=/run/postgresql")), IsEmpty());
  EXPECT_THAT(named_hosts(json("dbname=shop")), IsEmpty());
  EXPECT_THAT(named_hosts({{"interval", 5}, {"on", true}, {"name", "ghost=x"}}), IsEmpty());
}

}  // namespace
}  // namespace plumb::serve
