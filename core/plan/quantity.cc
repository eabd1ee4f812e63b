#include "core/plan/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace plumb::plan {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> kDurationUnits = {
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 3> kRateUnits = {{{"/s", 1}, {"/min", 1.0 / 60}, {"/h", 1.0 / 3600}}};
constexpr std::array<Unit, 7> kSizeUnits = {{{"B", 1},
                                             {"KB", 1e3},
                                             {"MB", 1e6},
                                             {"GB", 1e9},
                                             {"KiB", 1024},
                                             {"MiB", 1048576},
                                             {"GiB", 1073741824}}};
constexpr double kLargestInteger = 9.0e18;

template <size_t N>
std::optional<double> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return unit.factor;
  return std::nullopt;
}

// Takes digits with an optional fraction from the front of `text`.
std::optional<double> take_magnitude(std::string_view& text) {
  size_t end = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + end, value);
  if (end == 0 || error != std::errc() || at != text.data() + end) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  double last_factor = 1e300;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto magnitude = take_magnitude(text);
    if (!magnitude) return std::nullopt;
    size_t end = 0;
    while (end < text.size() && text[end] >= 'a' && text[end] <= 'z') ++end;
    const auto factor = factor_of(kDurationUnits, text.substr(0, end));
    if (!factor || *factor >= last_factor) return std::nullopt;
    total += *magnitude * *factor;
    last_factor = *factor;
    text.remove_prefix(end);
  }
  if (total > kLargestInteger) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(total));
}

std::optional<double> parse_rate(std::string_view text) {
  const auto magnitude = take_magnitude(text);
  const auto factor = factor_of(kRateUnits, text);
  if (!magnitude || !factor) return std::nullopt;
  return *magnitude * *factor;
}

std::optional<int64_t> parse_size(std::string_view text) {
  const auto magnitude = take_magnitude(text);
  if (!magnitude) return std::nullopt;
  const auto factor = text.empty() ? std::optional<double>(1) : factor_of(kSizeUnits, text);
  if (!factor || *magnitude * *factor > kLargestInteger) return std::nullopt;
  return std::llround(*magnitude * *factor);
}

std::optional<double> parse_ratio(std::string_view text) {
  const auto magnitude = take_magnitude(text);
  if (!magnitude || (!text.empty() && text != "%")) return std::nullopt;
  const double ratio = text.empty() ? *magnitude : *magnitude / 100;
  if (ratio > 1) return std::nullopt;
  return ratio;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<Limit> parse_limit(std::string_view text) {
  if (const auto number = parse_number(text)) return Limit{*number, "1"};
  if (const auto duration = parse_duration(text))
    return Limit{std::chrono::duration<double>(*duration).count(), "seconds"};
  if (const auto size = parse_size(text)) return Limit{static_cast<double>(*size), "bytes"};
  if (const auto ratio = parse_ratio(text)) return Limit{*ratio, "ratio"};
  if (const auto rate = parse_rate(text)) return Limit{*rate, "/s"};
  return std::nullopt;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::string format_number(double value) {
  std::array<char, 40> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.15g", value);
  return buffer.data();
}

std::string format_duration(std::chrono::nanoseconds value) {
  constexpr std::array<std::pair<int64_t, const char*>, 6> kUnits = {{{3600'000'000'000, "h"},
                                                                      {60'000'000'000, "m"},
                                                                      {1'000'000'000, "s"},
                                                                      {1'000'000, "ms"},
                                                                      {1'000, "us"},
                                                                      {1, "ns"}}};
  if (value.count() == 0) return "0s";
  for (const auto& [factor, name] : kUnits)
    if (value.count() % factor == 0) return std::to_string(value.count() / factor) + name;
  return std::to_string(value.count()) + "ns";
}

std::string format_rate(double per_second) { return format_number(per_second) + "/s"; }

std::string format_size(int64_t bytes) {
  constexpr std::array<std::pair<int64_t, const char*>, 3> kUnits = {
      {{1073741824, "GiB"}, {1048576, "MiB"}, {1024, "KiB"}}};
  for (const auto& [factor, name] : kUnits)
    if (bytes != 0 && bytes % factor == 0) return std::to_string(bytes / factor) + name;
  return std::to_string(bytes);
}

std::string format_ratio(double ratio) { return format_number(ratio * 100) + "%"; }

}  // namespace plumb::plan
