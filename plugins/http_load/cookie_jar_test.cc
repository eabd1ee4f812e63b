#include "plugins/http_load/cookie_jar.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

constexpr int64_t kNow = 1'767'225'600'000;  // 2026-01-01

class Cookies : public testing::Test {
 protected:
  void set(std::string_view header, std::string_view path = "/shop/login?next=1") {
    jar.store(header, path, site, kNow);
  }
  std::string sent(std::string_view path = "/shop/cart", int64_t now_ms = kNow) {
    std::string out = "before";
    jar.write(path, site, now_ms, out);
    return out;
  }

  CookieSite site{"shop.example.org", false};
  CookieJar jar;
};

TEST_F(Cookies, ComeBackWithLaterRequests) {
  set("session=abc; HttpOnly");
  set("theme = \"dark\"");
  EXPECT_EQ(sent(), "session=abc; theme=\"dark\"");
  set("session=def");
  EXPECT_EQ(sent(), "session=def; theme=\"dark\"");
  jar.clear();
  EXPECT_EQ(sent(), "");
}

TEST_F(Cookies, BelongToAPath) {
  set("a=1");
  set("b=2; Path=/");
  set("c=3; path=/shop/cart");
  set("d=4; Path=nonsense");
  EXPECT_EQ(sent("/shop/cart/items?x=/"), "c=3; a=1; d=4; b=2") << "longer paths first";
  EXPECT_EQ(sent("/shop"), "a=1; d=4; b=2");
  EXPECT_EQ(sent("/shopping"), "b=2");
  EXPECT_EQ(sent("/"), "b=2");
  set("e=5", "/login");
  EXPECT_EQ(sent("/"), "b=2; e=5");
}

TEST_F(Cookies, Expire) {
  set("a=1; Max-Age=10");
  set("b=2; Expires=Thu, 01 Jan 2026 00:00:20 GMT");
  set("c=3; Expires=Thu, 01 Jan 2026 00:00:20 GMT; Max-Age=30");
  set("d=4; Max-Age=30; Expires=Thu, 01 Jan 2026 00:00:20 GMT");
  set("e=5; Max-Age=nonsense; Expires=nonsense");
  set("f=6; Max-Age=99999999999999999999999");
  EXPECT_EQ(sent("/shop/", kNow + 9'999), "a=1; b=2; c=3; d=4; e=5; f=6");
  EXPECT_EQ(sent("/shop/", kNow + 10'000), "b=2; c=3; d=4; e=5; f=6");
  EXPECT_EQ(sent("/shop/", kNow + 20'000), "c=3; d=4; e=5; f=6");
  EXPECT_EQ(sent("/shop/", kNow + 30'000), "e=5; f=6");
}

TEST_F(Cookies, AreTakenBackByAPastDate) {
  set("a=1");
  set("b=2");
  set("a=; Max-Age=0");
  set("b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  set("c=3; Max-Age=-1");
  EXPECT_TRUE(jar.empty());
}

TEST_F(Cookies, AreSentSecurelyWhereTheyAskForIt) {
  set("a=1; Secure");
  EXPECT_EQ(sent(), "");
  site.is_secure = true;
  EXPECT_EQ(sent(), "a=1");
}

TEST_F(Cookies, OfOtherDomainsAreRefused) {
  set("a=1; Domain=example.org");
  set("b=2; Domain=.SHOP.example.org");
  set("c=3; Domain=other.org");
  set("d=4; Domain=pshop.example.org");
  set("e=5; Domain=");
  EXPECT_EQ(sent(), "a=1; b=2; e=5");
}

TEST_F(Cookies, ThatMakeNoSenseAreReadOver) {
  for (const char* header : {"", "=", "=x", "name", "; Path=/", "a=1\r\nX: y", "a=\x01"})
    set(header);
  set("a=" + std::string(5'000, 'x'));
  EXPECT_TRUE(jar.empty());
}

TEST_F(Cookies, AreBounded) {
  for (int i = 0; i < 200; ++i) set("c" + std::to_string(i) + "=1");
  EXPECT_EQ(jar.size(), CookieJar::kMostCookies);
  EXPECT_NE(sent().find("c199=1"), std::string::npos) << "the newest are kept";
}

}  // namespace
}  // namespace plumb::http_load
