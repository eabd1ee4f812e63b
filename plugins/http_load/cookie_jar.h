// The cookies of one user of one site: what RFC 6265 asks of a client that knows a single host.
// Path, Expires, Max-Age and Secure count; a cookie belongs to the host that set it, whatever its
// Domain widens it to. Input is untrusted: number and size are bounded. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_COOKIE_JAR_H_
#define PLUMB_PLUGINS_HTTP_LOAD_COOKIE_JAR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::http_load {

// Where all requests of a plan go.
struct CookieSite {
  std::string host;
  bool is_secure = false;
};

class CookieJar {
 public:
  static constexpr size_t kMostCookies = 50;
  static constexpr size_t kLargestCookie = 4'096;

  // A Set-Cookie header's value, in answer to a request for `path` (with or without a query).
  // `now_ms` is milliseconds since 1970. What is malformed or too large is read over.
  void store(std::string_view header, std::string_view path, const CookieSite& site,
             int64_t now_ms);
  // The value of the Cookie header for a request, in place of `out`; empty: there is nothing to
  // send.
  void write(std::string_view path, const CookieSite& site, int64_t now_ms, std::string& out) const;
  void clear() { cookies_.clear(); }
  bool empty() const { return cookies_.empty(); }
  size_t size() const { return cookies_.size(); }

 private:
  struct Cookie {
    std::string name;
    std::string value;
    std::string path;
    int64_t expires_ms;
    bool is_secure;
  };
  void put(Cookie cookie, int64_t now_ms);

  std::vector<Cookie> cookies_;  // as they are sent: longer paths first, then older ones
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_COOKIE_JAR_H_
