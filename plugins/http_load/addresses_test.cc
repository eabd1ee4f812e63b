#include "plugins/http_load/addresses.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace plumb::http_load {
namespace {

struct UrlCase {
  const char* url;
  bool tls;
  const char* host;
  const char* port;
};

TEST(Addresses, TakesTheOriginApart) {
  const UrlCase cases[] = {{"http://127.0.0.1:8080", false, "127.0.0.1", "8080"},
                           {"https://shop.test", true, "shop.test", "443"},
                           {"http://[::1]:99", false, "::1", "99"},
                           {"http://[::1]", false, "::1", "80"}};
  for (const UrlCase& c : cases) {
    const Origin origin = origin_of(c.url);
    EXPECT_EQ(origin.tls, c.tls) << c.url;
    EXPECT_EQ(origin.host, c.host) << c.url;
    EXPECT_EQ(origin.port, c.port) << c.url;
  }
  EXPECT_EQ(origin_of("http://[::1]:99").authority, "[::1]:99");
}

TEST(Addresses, NeedsNoResolverForAnAddress) {
  const Addresses addresses(origin_of("http://127.0.0.1:8080"));
  const std::vector<Address> found = addresses.current();
  ASSERT_EQ(found.size(), 1u);
  const auto& in = reinterpret_cast<const sockaddr_in&>(found[0].storage);
  EXPECT_EQ(in.sin_family, AF_INET);
  EXPECT_EQ(ntohs(in.sin_port), 8080);
}

TEST(Addresses, FindsLocalhost) {
  const Addresses addresses(origin_of("http://localhost:8080"));
  EXPECT_FALSE(addresses.current().empty());
  EXPECT_EQ(addresses.problem(), "");
}

TEST(Addresses, SaysWhyANameHasNone) {
  const Addresses addresses(origin_of("http://no-such-host.invalid"));
  EXPECT_TRUE(addresses.current().empty());
  EXPECT_NE(addresses.problem().find("no-such-host.invalid: "), std::string::npos);
}

}  // namespace
}  // namespace plumb::http_load
