#include "plugins/prom_scrape/name_filter.h"

#include <algorithm>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

bool matches(std::string_view name, std::string_view pattern) {
  size_t n = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;  // the last '*' passed, and how much of the name it took
  size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char c) { return c == '*'; });
}

bool matches_any(std::string_view name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(name, pattern); });
}

bool can_match(std::string_view pattern) {
  return std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':' || c == '*' || c == '?';
  });
}

Result<std::vector<std::string>> patterns_of(const char* option, std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view pattern = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (pattern.starts_with(' ')) pattern.remove_prefix(1);
    while (pattern.ends_with(' ')) pattern.remove_suffix(1);
    if (pattern.empty()) continue;
    if (!can_match(pattern))
      return Status::invalid_argument(std::string(option) + ": \"" + plain_text(pattern, 80) +
                                      "\" can match no metric's name: letters, digits, _ and :, "
                                      "* for any characters and ? for one");
    out.emplace_back(pattern);
  }
  return out;
}

}  // namespace

Result<NameFilter> NameFilter::from(std::string_view include, std::string_view exclude) {
  NameFilter out;
  PLUMB_ASSIGN_OR_RETURN(out.include_, patterns_of("include", include));
  PLUMB_ASSIGN_OR_RETURN(out.exclude_, patterns_of("exclude", exclude));
  return out;
}

bool NameFilter::keeps(std::string_view name) const {
  return (include_.empty() || matches_any(name, include_)) && !matches_any(name, exclude_);
}

}  // namespace plumb::prom_scrape
