#include "plugins/http_load/redirect.h"

#include <curl/curl.h>

#include <memory>

#include "plugins/http_load/encoding.h"

namespace plumb::http_load {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string part_of(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

bool set(const Url& url, const std::string& text, unsigned flags) {
  return curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) == CURLUE_OK;
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string origin_parts(const Url& url) {
  return part_of(url, CURLUPART_SCHEME) + "://" + lower_case(part_of(url, CURLUPART_HOST)) + ":" +
         part_of(url, CURLUPART_PORT);
}

}  // namespace

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<std::string> resolve_location(const std::string& origin, const std::string& path,
                                     const std::string& location) {
  const Url url(curl_url());
  if (url == nullptr) return Status::resource_exhausted("out of memory");
  if (!set(url, origin + path, 0)) return Status::invalid_argument("the request has no URL");
  const std::string before = origin_parts(url);
  if (location.empty() || !set(url, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME))
    return Status::invalid_argument("redirected to '" + printable(location, 60) +
                                    "', which is no place");
  if (origin_parts(url) != before)
    return Status::invalid_argument("redirected to another origin: " +
                                    printable(origin_parts(url), 100));
  const std::string query = part_of(url, CURLUPART_QUERY);
  std::string out;
  append_path_safe(part_of(url, CURLUPART_PATH) + (query.empty() ? "" : "?" + query), out);
  return out;
}

std::string redirected_method(int status, const std::string& method) {
  const bool posts = method == "POST" && (status == 301 || status == 302);
  const bool sees_other = status == 303 && method != "HEAD";
  return posts || sees_other ? "GET" : method;
}

}  // namespace plumb::http_load
