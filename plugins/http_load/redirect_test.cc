#include "plugins/http_load/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

using testing::HasSubstr;

std::string resolved(const std::string& location, const std::string& path = "/a/b/c?d=e",
                     const std::string& origin = "http://127.0.0.1:8080") {
  const auto out = resolve_location(origin, path, location);
  return out.is_ok() ? *out : "error: " + out.status().message();
}

TEST(Redirect, LeadsToAPathOfTheSameOrigin) {
  EXPECT_EQ(resolved("/x"), "/x");
  EXPECT_EQ(resolved("/x?y=1&z=%20#part"), "/x?y=1&z=%20");
  EXPECT_EQ(resolved("x"), "/a/b/x");
  EXPECT_EQ(resolved("../x"), "/a/x");
  EXPECT_EQ(resolved("../../../../x"), "/x");
  EXPECT_EQ(resolved("./"), "/a/b/");
  EXPECT_EQ(resolved("?f=g"), "/a/b/c?f=g");
  EXPECT_EQ(resolved("http://127.0.0.1:8080/y"), "/y");
  EXPECT_EQ(resolved("http://127.0.0.1:8080"), "/");
  EXPECT_EQ(resolved("//127.0.0.1:8080/z"), "/z");
  EXPECT_EQ(resolved("/x", "/"), "/x");
  EXPECT_EQ(resolved("HTTP://Shop.org:80/x", "/", "http://shop.org"), "/x");
}

TEST(Redirect, CannotBreakOutOfTheRequestLine) {
  EXPECT_EQ(resolved("/a b\xc3\xa4"), "/a%20b%c3%a4");
  const std::string hostile = resolved("/a\r\nX: y");
  EXPECT_EQ(hostile.find('\n'), std::string::npos);
  EXPECT_EQ(hostile.find('\r'), std::string::npos);
}

TEST(Redirect, ToAnotherOriginIsRefused) {
  EXPECT_EQ(resolved("http://127.0.0.1:9090/x"),
            "error: redirected to another origin: http://127.0.0.1:9090");
  EXPECT_THAT(resolved("https://127.0.0.1:8080/x"), HasSubstr("another origin"));
  EXPECT_THAT(resolved("//evil.org/x"), HasSubstr("another origin: http://evil.org:80"));
  EXPECT_THAT(resolved("http://127.0.0.1:8080@evil.org/"), HasSubstr("evil.org"));
  EXPECT_THAT(resolved("ftp://127.0.0.1/x"), HasSubstr("error"));
  EXPECT_THAT(resolved(""), HasSubstr("is no place"));
  EXPECT_THAT(resolved("http://"), HasSubstr("is no place"));
}

TEST(Redirect, RewritesTheMethod) {
  EXPECT_EQ(redirected_method(302, "POST"), "GET");
  EXPECT_EQ(redirected_method(301, "POST"), "GET");
  EXPECT_EQ(redirected_method(303, "PUT"), "GET");
  EXPECT_EQ(redirected_method(303, "HEAD"), "HEAD");
  EXPECT_EQ(redirected_method(302, "PUT"), "PUT");
  EXPECT_EQ(redirected_method(307, "POST"), "POST");
  EXPECT_EQ(redirected_method(308, "POST"), "POST");
  EXPECT_TRUE(is_redirect(308));
  EXPECT_FALSE(is_redirect(304));
  EXPECT_FALSE(is_redirect(200));
}

}  // namespace
}  // namespace plumb::http_load
