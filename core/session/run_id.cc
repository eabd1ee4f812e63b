#include "core/session/run_id.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace plumb::session {

std::string make_run_id(int64_t unix_ms, uint16_t random) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  constexpr int64_t kEachMs = 65;  // of 65,536 that there are for a second
  const auto within = static_cast<unsigned>(unix_ms % 1000 * kEachMs + random % kEachMs);
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "-%04x", within & 0xffffU);
  return std::string(stamp.data()) + digits.data();
}

bool is_run_id(std::string_view text) {
  constexpr std::string_view kForm = "dddddddd'dddddd\"-xxxx";
  if (text.size() != kForm.size()) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool fits = kForm[i] == 'd'    ? is_digit(c)
                      : kForm[i] == 'x'  ? is_digit(c) || (c >= 'a' && c <= 'f')
                      : kForm[i] == '\'' ? c == 'T'
                      : kForm[i] == '"'  ? c == 'Z'
                                         : c == '-';
    if (!fits) return false;
  }
  return true;
}

}  // namespace plumb::session
