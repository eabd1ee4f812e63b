#include "core/base/number_text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace plumb {
namespace {

std::string fixed(double value, int decimals) {
  std::array<char, 400> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

// Three significant digits, no exponent.
std::string significant(double value) {
  const double size = std::fabs(value);
  if (size >= 100) return grouped(value, 0);
  if (size >= 10) return fixed(value, 1);
  if (size >= 1) return fixed(value, 2);
  if (size >= 0.001) return fixed(value, 3);
  return size < 5e-7 ? "0" : fixed(value, 6);
}

std::string whole_or_significant(double value) {
  return value == std::floor(value) && std::fabs(value) < 1e15 ? grouped(value, 0)
                                                               : significant(value);
}

}  // namespace

std::string grouped(double value, int decimals) {
  std::string text = fixed(value, decimals);
  size_t end = text.find('.');
  if (end == std::string::npos) end = text.size();
  const size_t first = text[0] == '-' ? 1 : 0;
  for (size_t at = end; at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string seconds_text(double seconds) {
  const double size = std::fabs(seconds);
  if (size >= 60) {
    const double whole = std::round(seconds);
    const double minutes = std::floor(whole / 60);
    return grouped(minutes) + " min " + grouped(whole - minutes * 60) + " s";
  }
  if (size >= 1) return fixed(seconds, 2) + " s";
  return milliseconds_text(seconds * 1e3) + " ms";
}

std::string milliseconds_text(double ms) {
  const double size = std::fabs(ms);
  if (size >= 1000) return grouped(ms, 0);
  if (size >= 0.1) return fixed(ms, 1);
  return size < 0.005 ? "0.0" : fixed(ms, 2);
}

std::string ratio_text(double ratio) {
  const double percent = ratio * 100;
  const double size = std::fabs(percent);
  if ((size >= 10 && size < 99.95) || size >= 1000) return grouped(percent, 0) + "%";
  if (size >= 1) return fixed(percent, size >= 99.95 ? 0 : 1) + "%";
  return size == 0 ? "0%" : fixed(percent, 2) + "%";
}

std::string bytes_text(double bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (std::fabs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string value_text(double value, std::string_view unit) {
  if (unit == "seconds") return seconds_text(value);
  if (unit == "bytes") return bytes_text(value);
  if (unit == "bytes/s") return bytes_text(value) + "/s";
  if (unit == "ratio") return ratio_text(value);
  if (unit == "requests/s") return grouped(value, std::fabs(value) < 1000 ? 1 : 0) + "/s";
  if (unit.empty() || unit == "1" || unit == "1/s" || unit == "requests" || unit == "seconds/s")
    return whole_or_significant(value);
  return whole_or_significant(value) + " " + std::string(unit);
}

std::string told_value(double value, std::string_view unit) {
  for (const std::string_view quantity : {"seconds", "bytes", "bytes/s", "ratio", "requests/s"})
    if (unit == quantity) return value_text(value, unit);
  const double whole = std::round(value);
  const bool nearly_whole = whole != 0 && std::fabs(value - whole) <= 0.01 * std::fabs(value);
  return whole_or_significant(nearly_whole ? whole : value);
}

}  // namespace plumb
