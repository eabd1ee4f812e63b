#include "plugins/http_load/cookie_jar.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find_first_of("?#"));
}

// RFC 6265, 5.1.4: the directory that the request was in.
std::string_view default_path(std::string_view path) {
  path = without_query(path);
  const size_t slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0) return "/";
  return path.substr(0, slash);
}

bool path_matches(std::string_view request, std::string_view cookie) {
  if (!request.starts_with(cookie)) return false;
  return request.size() == cookie.size() || cookie.ends_with('/') || request[cookie.size()] == '/';
}

bool domain_matches(std::string_view host, std::string_view domain) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || same_word(host, domain)) return true;
  return host.size() > domain.size() && host[host.size() - domain.size() - 1] == '.' &&
         same_word(host.substr(host.size() - domain.size()), domain);
}

// Seconds from now; nothing when it is no number.
std::optional<int64_t> max_age_of(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return text[0] == '-' ? 0 : kNever / 2'000;
  if (error != std::errc()) return std::nullopt;
  return std::min(out, kNever / 2'000);
}

}  // namespace

void CookieJar::store(std::string_view header, std::string_view path, const CookieSite& site,
                      int64_t now_ms) {
  if (header.size() > kLargestCookie || has_control_character(header)) return;
  const std::string_view pair = header.substr(0, header.find(';'));
  const size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return;
  Cookie cookie{std::string(without_blanks(pair.substr(0, equals))),
                std::string(without_blanks(pair.substr(equals + 1))),
                std::string(default_path(path)), kNever, false};
  if (cookie.name.empty()) return;
  bool has_age = false;
  std::string_view rest = header.substr(pair.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view attribute = rest.substr(0, rest.find(';'));
    rest.remove_prefix(attribute.size());
    const size_t sign = std::min(attribute.find('='), attribute.size());
    const std::string_view name = without_blanks(attribute.substr(0, sign));
    const std::string_view value =
        sign == attribute.size() ? "" : without_blanks(attribute.substr(sign + 1));
    if (same_word(name, "path")) {
      cookie.path = value.starts_with('/') ? std::string(value) : std::string(default_path(path));
    } else if (same_word(name, "secure")) {
      cookie.is_secure = true;
    } else if (same_word(name, "domain")) {
      if (!domain_matches(site.host, value)) return;
    } else if (same_word(name, "max-age")) {
      const auto seconds = max_age_of(value);
      if (!seconds) continue;
      has_age = true;  // goes before Expires
      cookie.expires_ms = *seconds <= 0 ? 0 : now_ms + *seconds * 1'000;
    } else if (same_word(name, "expires") && !has_age) {
      const time_t when = curl_getdate(std::string(value).c_str(), nullptr);
      if (when != -1) cookie.expires_ms = std::max<int64_t>(0, when) * 1'000;
    }
  }
  put(std::move(cookie), now_ms);
}

void CookieJar::put(Cookie cookie, int64_t now_ms) {
  const auto known = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& other) {
    return other.name == cookie.name && other.path == cookie.path;
  });
  if (known != cookies_.end()) {
    if (cookie.expires_ms <= now_ms)
      cookies_.erase(known);
    else
      *known = std::move(cookie);
    return;
  }
  if (cookie.expires_ms <= now_ms) return;
  std::erase_if(cookies_, [&](const Cookie& other) { return other.expires_ms <= now_ms; });
  if (cookies_.size() == kMostCookies) cookies_.erase(cookies_.begin());
  const auto before = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& other) {
    return other.path.size() < cookie.path.size();
  });
  cookies_.insert(before, std::move(cookie));
}

void CookieJar::write(std::string_view path, const CookieSite& site, int64_t now_ms,
                      std::string& out) const {
  out.clear();
  const std::string_view request = without_query(path);
  for (const Cookie& cookie : cookies_) {
    if (cookie.expires_ms <= now_ms || (cookie.is_secure && !site.is_secure)) continue;
    if (!path_matches(request, cookie.path)) continue;
    if (!out.empty()) out += "; ";
    out.append(cookie.name).append("=").append(cookie.value);
  }
}

}  // namespace plumb::http_load
