#include "core/imports/endpoint_name.h"

#include <algorithm>
#include <cctype>

namespace plumb::imports {
namespace {

constexpr size_t kLongestName = 120;
constexpr size_t kLongHexadecimal = 16;

bool is_identifier(std::string_view segment) {
  if (segment.empty()) return false;
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (std::all_of(segment.begin(), segment.end(), is_digit)) return true;
  const bool hexadecimal = std::all_of(segment.begin(), segment.end(), [](unsigned char c) {
    return std::isxdigit(c) != 0 || c == '-';
  });
  return hexadecimal && segment.size() >= kLongHexadecimal &&
         std::any_of(segment.begin(), segment.end(), is_digit);
}

// Where the path begins: behind scheme://host.
size_t path_start(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", scheme + 3), url.size());
}

// Cut at a whole character of UTF-8.
void shorten(std::string& text) {
  if (text.size() <= kLongestName) return;
  size_t end = kLongestName;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  text += "…";
}

}  // namespace

std::string endpoint_of_url(std::string_view method, std::string_view url) {
  std::string_view path = url.substr(path_start(url));
  path = path.substr(0, path.find_first_of("?#"));
  std::string out(method);
  if (!out.empty()) out += ' ';
  if (path.empty()) path = "/";
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    out += is_identifier(segment) ? std::string_view(":id") : segment;
    if (end < path.size()) out += '/';
    at = end + 1;
    if (out.size() > kLongestName) break;
  }
  shorten(out);
  return out;
}

std::string endpoint_of_name(std::string_view method, std::string_view name) {
  if (name.find("://") != std::string_view::npos) return endpoint_of_url(method, name);
  std::string out(name.empty() ? "(unnamed)" : name);
  shorten(out);
  return out;
}

std::string origin_of_url(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view host = url.substr(scheme + 3, path_start(url) - scheme - 3);
  // A password before the host is nobody's business.
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  return std::string(url.substr(0, scheme + 3)) + std::string(host);
}

}  // namespace plumb::imports
