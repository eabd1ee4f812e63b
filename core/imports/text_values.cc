#include "core/imports/text_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace plumb::imports {
namespace {

constexpr int64_t kLatestNs = 7'258'118'400 * kSecondNs;  // 2200
constexpr double kLongestNs = 86'400e9;

// Reads exactly `digits` digits off the front.
bool take_number(std::string_view& text, size_t digits, int& out) {
  if (text.size() < digits) return false;
  out = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456789" and longer; digits beyond nanoseconds are dropped.
int64_t take_fraction(std::string_view& text) {
  if (!take_char(text, '.') && !take_char(text, ',')) return 0;
  int64_t out = 0;
  int64_t worth = kSecondNs / 10;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    out += (text.front() - '0') * worth;
    worth /= 10;
    text.remove_prefix(1);
  }
  return out;
}

// Z, +02:00, +0200; nothing left is UTC. False when something else is there.
bool take_offset(std::string_view& text, int64_t& seconds) {
  seconds = 0;
  if (text.empty() || take_char(text, 'Z') || take_char(text, 'z')) return text.empty();
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return false;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_number(text, 2, hours)) return false;
  (void)take_char(text, ':');
  if (!take_number(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
  return text.empty();
}

std::optional<int64_t> instant(int year, int month, int day, int hour, int minute, int second,
                               int64_t fraction_ns, int64_t offset_s) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // Leap seconds are written as second 60.
  if (!date.ok() || year < 1970 || year >= 2200 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset_s;
  if (seconds < 0) return std::nullopt;
  return seconds * kSecondNs + fraction_ns;
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, 4, year) || !take_char(text, '-') || !take_number(text, 2, month) ||
      !take_char(text, '-') || !take_number(text, 2, day))
    return std::nullopt;
  if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' ')) return std::nullopt;
  if (!take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute) ||
      !take_char(text, ':') || !take_number(text, 2, second))
    return std::nullopt;
  const int64_t fraction = take_fraction(text);
  (void)take_char(text, ' ');
  int64_t offset = 0;
  if (!take_offset(text, offset)) return std::nullopt;
  return instant(year, month, day, hour, minute, second, fraction, offset);
}

std::optional<int64_t> parse_common_log(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int year = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, 2, day) || !take_char(text, '/') || text.size() < 4) return std::nullopt;
  const size_t at = kMonths.find(text.substr(0, 3));
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  text.remove_prefix(3);
  if (!take_char(text, '/') || !take_number(text, 4, year) || !take_char(text, ':') ||
      !take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute) ||
      !take_char(text, ':') || !take_number(text, 2, second))
    return std::nullopt;
  (void)take_char(text, ' ');
  int64_t offset = 0;
  if (!take_offset(text, offset)) return std::nullopt;
  return instant(year, static_cast<int>(at / 3) + 1, day, hour, minute, second, 0, offset);
}

// By how large it is; a fraction keeps its digits, which a double would not.
std::optional<int64_t> parse_epoch(std::string_view text) {
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc() || whole < 0) return std::nullopt;
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E')) {
    // Some JSON writers give large numbers an exponent.
    const auto value = parse_finite(text);
    if (!value || *value < 0 || *value > 9e18) return std::nullopt;
    whole = static_cast<int64_t>(*value);
    rest = {};
  }
  const int64_t fraction = take_fraction(rest);
  if (!rest.empty()) return std::nullopt;
  const int64_t unit = whole < 100'000'000'000           ? kSecondNs
                       : whole < 100'000'000'000'000     ? 1'000'000
                       : whole < 100'000'000'000'000'000 ? 1'000
                                                         : 1;
  if (whole > kLatestNs / unit) return std::nullopt;
  return whole * unit + fraction / (kSecondNs / unit);
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<double> parse_finite(std::string_view text) {
  double out = 0;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(out))
    return std::nullopt;
  return out;
}

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<int64_t> parse_time(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  if (const auto date = parse_rfc3339(text)) return date;
  if (const auto log = parse_common_log(text)) return log;
  return parse_epoch(text);
}

std::optional<int64_t> duration_ns(double value, double unit) {
  const double ns = value * unit;
  if (!std::isfinite(ns) || ns < 0 || ns > kLongestNs) return std::nullopt;
  return static_cast<int64_t>(std::llround(ns));
}

std::optional<double> unit_ns(std::string_view unit) {
  struct Unit {
    std::string_view name;
    double ns;
  };
  constexpr std::array<Unit, 17> kUnits = {{{"ns", 1},
                                            {"nanos", 1},
                                            {"nanoseconds", 1},
                                            {"us", 1e3},
                                            {"\xc2\xb5s", 1e3},
                                            {"\xce\xbcs", 1e3},
                                            {"micros", 1e3},
                                            {"microseconds", 1e3},
                                            {"ms", 1e6},
                                            {"millis", 1e6},
                                            {"milliseconds", 1e6},
                                            {"s", 1e9},
                                            {"sec", 1e9},
                                            {"secs", 1e9},
                                            {"seconds", 1e9},
                                            {"m", 60e9},
                                            {"h", 3600e9}}};
  for (const Unit& known : kUnits)
    if (known.name == unit) return known.ns;
  return std::nullopt;
}

std::optional<int64_t> parse_duration_text(std::string_view text) {
  text = trimmed(text);
  int64_t sum = 0;
  do {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t unit_size = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view unit = trimmed(text.substr(0, unit_size));
    const auto ns = unit.empty() && value == 0 ? std::optional(1.0) : unit_ns(unit);
    const auto part = ns ? duration_ns(value, *ns) : std::nullopt;
    if (!part) return std::nullopt;
    sum += *part;
    text.remove_prefix(unit_size);
  } while (!text.empty());
  return sum;
}

}  // namespace plumb::imports
