#include "numbers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace plumb::llm_analyzer {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct NamedUnit {
  std::string_view name;
  Unit unit;
};

constexpr Unit time_unit(double seconds) { return {Measure::kTime, seconds, seconds}; }
constexpr Unit byte_unit(double decimal, double binary) {
  return {Measure::kBytes, decimal, binary};
}
constexpr double kKi = 1024;
constexpr double kMi = kKi * 1024;
constexpr double kGi = kMi * 1024;
constexpr double kTi = kGi * 1024;

constexpr std::array kUnits = {NamedUnit{"ns", time_unit(1e-9)},
                               NamedUnit{"us", time_unit(1e-6)},
                               NamedUnit{"\u00b5s", time_unit(1e-6)},
                               NamedUnit{"\u03bcs", time_unit(1e-6)},
                               NamedUnit{"ms", time_unit(1e-3)},
                               NamedUnit{"msec", time_unit(1e-3)},
                               NamedUnit{"msecs", time_unit(1e-3)},
                               NamedUnit{"s", time_unit(1)},
                               NamedUnit{"sec", time_unit(1)},
                               NamedUnit{"secs", time_unit(1)},
                               NamedUnit{"second", time_unit(1)},
                               NamedUnit{"seconds", time_unit(1)},
                               NamedUnit{"millisecond", time_unit(1e-3)},
                               NamedUnit{"milliseconds", time_unit(1e-3)},
                               NamedUnit{"microsecond", time_unit(1e-6)},
                               NamedUnit{"microseconds", time_unit(1e-6)},
                               NamedUnit{"nanosecond", time_unit(1e-9)},
                               NamedUnit{"nanoseconds", time_unit(1e-9)},
                               NamedUnit{"min", time_unit(60)},
                               NamedUnit{"mins", time_unit(60)},
                               NamedUnit{"minute", time_unit(60)},
                               NamedUnit{"minutes", time_unit(60)},
                               NamedUnit{"h", time_unit(3600)},
                               NamedUnit{"hour", time_unit(3600)},
                               NamedUnit{"hours", time_unit(3600)},
                               NamedUnit{"%", {Measure::kPercent, 0.01, 0.01}},
                               NamedUnit{"percent", {Measure::kPercent, 0.01, 0.01}},
                               NamedUnit{"percentage", {Measure::kPercent, 0.01, 0.01}},
                               NamedUnit{"b", byte_unit(1, 1)},
                               NamedUnit{"byte", byte_unit(1, 1)},
                               NamedUnit{"bytes", byte_unit(1, 1)},
                               NamedUnit{"kb", byte_unit(1e3, kKi)},
                               NamedUnit{"kib", byte_unit(kKi, kKi)},
                               NamedUnit{"kilobytes", byte_unit(1e3, kKi)},
                               NamedUnit{"mb", byte_unit(1e6, kMi)},
                               NamedUnit{"mib", byte_unit(kMi, kMi)},
                               NamedUnit{"megabytes", byte_unit(1e6, kMi)},
                               NamedUnit{"gb", byte_unit(1e9, kGi)},
                               NamedUnit{"gib", byte_unit(kGi, kGi)},
                               NamedUnit{"gigabytes", byte_unit(1e9, kGi)},
                               NamedUnit{"tb", byte_unit(1e12, kTi)},
                               NamedUnit{"tib", byte_unit(kTi, kTi)}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

const Unit* unit_named(std::string_view name) {
  const std::string folded = lower(name);
  const auto found = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const NamedUnit& unit) { return unit.name == folded; });
  return found == kUnits.end() ? nullptr : &found->unit;
}

// "%", or letters with perhaps a micro sign before them.
size_t word_end(std::string_view text, size_t at) {
  if (at < text.size() && text[at] == '%') return at + 1;
  for (const std::string_view micro : {"\u00b5", "\u03bc"}) {
    if (text.substr(at, micro.size()) == micro) at += micro.size();
  }
  while (at < text.size() && is_letter(text[at])) ++at;
  return at;
}

size_t after_gap(std::string_view text, size_t at) {
  for (const std::string_view gap : {" ", "-", "\u00a0", "\u202f", "\u2009"}) {
    if (text.substr(at, gap.size()) == gap) return at + gap.size();
  }
  return at;
}

struct Found {
  WrittenNumber number;
  size_t start = 0;
  size_t end = 0;
};

// "ms", " ms", "-second", "%", " per cent", or "k" and "M" as thousands and millions.
void take_unit(std::string_view prose, Found& found) {
  const std::string_view glued = prose.substr(found.end, word_end(prose, found.end) - found.end);
  const double magnitude = glued == "k" || glued == "K" ? 1e3 : (glued == "M" ? 1e6 : 1);
  if (magnitude > 1) {
    found.number.value *= magnitude;
    found.number.step *= magnitude;
    found.end += 1;
    return;
  }
  const size_t at = after_gap(prose, found.end);
  size_t end = word_end(prose, at);
  std::string_view name = prose.substr(at, end - at);
  if (lower(prose.substr(at, 8)) == "per cent") {
    name = "%";
    end = at + 8;
  }
  if (const Unit* unit = unit_named(name)) {
    found.number.unit = *unit;
    found.end = end;
  }
}

Found digits_at(std::string_view prose, size_t start) {
  std::string plain;
  size_t at = start;
  while (at < prose.size()) {
    const bool group = prose[at] == ',' && at > start && at + 3 < prose.size() &&
                       is_digit(prose[at + 1]) && is_digit(prose[at + 2]) &&
                       is_digit(prose[at + 3]) &&
                       (at + 4 >= prose.size() || !is_digit(prose[at + 4]));
    if (group) {
      ++at;
    } else if (is_digit(prose[at])) {
      plain += prose[at++];
    } else {
      break;
    }
  }
  int decimals = 0;
  if (at + 1 < prose.size() && prose[at] == '.' && is_digit(prose[at + 1])) {
    plain += prose[at++];
    for (; at < prose.size() && is_digit(prose[at]); ++decimals) plain += prose[at++];
  }
  int exponent = 0;
  if (at < prose.size() && (prose[at] == 'e' || prose[at] == 'E')) {
    size_t from = at + 1;
    if (from < prose.size() && (prose[from] == '+' || prose[from] == '-')) ++from;
    size_t to = from;
    while (to < prose.size() && is_digit(prose[to])) ++to;
    if (to > from && to - from <= 3) {
      exponent = std::atoi(std::string(prose.substr(at + 1, to - at - 1)).c_str());
      at = to;
    }
  }
  Found found;
  found.start = start;
  found.end = at;
  found.number.text = std::string(prose.substr(start, at - start));
  found.number.value = std::strtod(plain.c_str(), nullptr) * std::pow(10, exponent);
  found.number.step = std::pow(10, exponent - decimals);
  return found;
}

constexpr std::array<std::pair<std::string_view, int>, 33> kWords = {{
    {"zero", 0},          {"one", 1},       {"two", 2},
    {"three", 3},         {"four", 4},      {"five", 5},
    {"six", 6},           {"seven", 7},     {"eight", 8},
    {"nine", 9},          {"ten", 10},      {"eleven", 11},
    {"twelve", 12},       {"thirteen", 13}, {"fourteen", 14},
    {"fifteen", 15},      {"sixteen", 16},  {"seventeen", 17},
    {"eighteen", 18},     {"nineteen", 19}, {"twenty", 20},
    {"thirty", 30},       {"forty", 40},    {"fifty", 50},
    {"sixty", 60},        {"seventy", 70},  {"eighty", 80},
    {"ninety", 90},       {"hundred", 100}, {"thousand", 1000},
    {"million", 1000000}, {"dozen", 12},    {"billion", 1000000000},
}};

std::optional<int> value_of_word(std::string_view word) {
  const std::string folded = lower(word);
  for (const auto& [name, value] : kWords) {
    if (name == folded) return value;
  }
  return std::nullopt;
}

// A run of number words from `start`, or nothing. "one" by itself is no number.
std::optional<Found> words_at(std::string_view prose, size_t start) {
  double total = 0;
  double current = 0;
  Found found;
  found.start = start;
  int words = 0;
  bool only_one = true;
  size_t at = start;
  for (;;) {
    const size_t end = word_end(prose, at);
    const auto value = value_of_word(prose.substr(at, end - at));
    if (!value) break;
    ++words;
    only_one = only_one && *value == 1;
    if (*value >= 1000) {
      total += std::max(1.0, current) * *value;
      current = 0;
    } else if (*value == 100) {
      current = std::max(1.0, current) * 100;
    } else {
      current += *value;
    }
    found.end = end;
    const size_t next = after_gap(prose, end);
    if (next == end) break;
    at = next;
  }
  if (words == 0 || only_one) return std::nullopt;
  found.number.text = std::string(prose.substr(start, found.end - start));
  found.number.value = total + current;
  found.number.step = 1;
  return found;
}

void lend_units(std::string_view prose, std::vector<Found>& all) {
  constexpr size_t kCloseBy = 24;
  for (size_t i = all.size(); i-- > 1;) {
    Found& first = all[i - 1];
    const Found& second = all[i];
    if (first.number.unit.measure != Measure::kPlain) continue;
    const std::string_view between = prose.substr(first.end, second.start - first.end);
    if (between.size() > kCloseBy || between.find_first_of(".;!?") != std::string_view::npos)
      continue;
    if (second.number.unit.measure != Measure::kPlain) {
      first.number.borrowed = second.number.unit;
    } else {
      first.number.borrowed = second.number.borrowed;
    }
  }
}

Unit unit_of_fact(std::string_view unit) {
  if (unit == "ratio") return {Measure::kPercent, 1, 1};
  const Unit* named = unit_named(unit);
  return named ? *named : Unit{};
}

bool close(double written, double tolerance, double known) {
  return std::abs(std::abs(written) - std::abs(known)) <=
         tolerance + 1e-9 * std::max(std::abs(written), std::abs(known));
}

bool matches(const WrittenNumber& written, const Unit& unit, const KnownNumber& known) {
  const Unit fact = unit_of_fact(known.unit);
  if (unit.measure == Measure::kPlain) return close(written.value, written.step / 2, known.value);
  if (unit.measure != fact.measure) return false;
  for (const double scale : {unit.scale, unit.other_scale}) {
    if (close(written.value * scale, written.step * scale / 2, known.value * fact.scale))
      return true;
  }
  return false;
}

// The value with thousands separators, and so many decimals that four digits show.
std::string show_digits(double value) {
  const double magnitude = std::abs(value);
  const int whole = magnitude < 1 ? 1 : static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  std::array<char, 64> buffer{};
  if (magnitude > 0 && magnitude < 1e-3) {
    std::snprintf(buffer.data(), buffer.size(), "%.3g", value);
    return buffer.data();
  }
  std::snprintf(buffer.data(), buffer.size(), "%.*f", std::clamp(4 - whole, 0, 3), value);
  std::string text = buffer.data();
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  const size_t first = text[0] == '-' ? 1 : 0;
  size_t at = std::min(text.find('.'), text.size());
  for (; at > first + 3; text.insert(at, ",")) at -= 3;
  return text;
}

}  // namespace

std::vector<WrittenNumber> find_numbers(std::string_view prose) {
  std::vector<Found> all;
  size_t at = 0;
  while (at < prose.size()) {
    const bool leading_point = prose[at] == '.' && at + 1 < prose.size() &&
                               is_digit(prose[at + 1]) && (at == 0 || !is_digit(prose[at - 1]));
    if (is_digit(prose[at]) || leading_point) {
      all.push_back(digits_at(prose, at));
      take_unit(prose, all.back());
      at = all.back().end;
      continue;
    }
    const size_t end = word_end(prose, at);
    if (end == at) {
      ++at;
    } else if (auto words = words_at(prose, at)) {
      all.push_back(std::move(*words));
      take_unit(prose, all.back());
      at = all.back().end;
    } else {
      at = end;
    }
  }
  lend_units(prose, all);
  std::vector<WrittenNumber> numbers;
  for (Found& found : all) numbers.push_back(std::move(found.number));
  return numbers;
}

bool is_borne_out(const WrittenNumber& written, std::span<const KnownNumber> known) {
  return std::any_of(known.begin(), known.end(), [&](const KnownNumber& number) {
    return matches(written, written.unit, number) ||
           (written.borrowed && matches(written, *written.borrowed, number));
  });
}

bool has_foreign_digits(std::string_view prose) {
  struct Range {
    uint32_t first, last;
  };
  static constexpr std::array<Range, 16> kRanges = {{{0xb2, 0xb3},
                                                     {0xb9, 0xb9},
                                                     {0xbc, 0xbe},
                                                     {0x660, 0x669},
                                                     {0x6f0, 0x6f9},
                                                     {0x7c0, 0x7c9},
                                                     {0x966, 0x96f},
                                                     {0x9e6, 0x9ef},
                                                     {0xe50, 0xe59},
                                                     {0x2070, 0x2089},
                                                     {0x2150, 0x218b},
                                                     {0x2460, 0x24ff},
                                                     {0x2776, 0x2793},
                                                     {0x3007, 0x3007},
                                                     {0xff10, 0xff19},
                                                     {0x1d7ce, 0x1d7ff}}};
  for (size_t at = 0; at < prose.size();) {
    const auto lead = static_cast<unsigned char>(prose[at]);
    const size_t length = lead < 0x80 ? 1 : (lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4));
    uint32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (size_t i = 1; i < length && at + i < prose.size(); ++i)
      point = point << 6 | (static_cast<unsigned char>(prose[at + i]) & 0x3fu);
    if (std::any_of(kRanges.begin(), kRanges.end(),
                    [&](const Range& r) { return point >= r.first && point <= r.last; }))
      return true;
    at += length;
  }
  return false;
}

std::string show_number(double value, std::string_view unit_name) {
  const Unit unit = unit_of_fact(unit_name);
  const double base = value * unit.scale;
  const double magnitude = std::abs(base);
  switch (unit.measure) {
    case Measure::kTime:
      if (magnitude > 0 && magnitude < 1e-3) return show_digits(base * 1e6) + " \u00b5s";
      if (magnitude < 1) return show_digits(base * 1e3) + " ms";
      return show_digits(base) + " s";
    case Measure::kBytes:
      if (magnitude >= kGi) return show_digits(base / kGi) + " GiB";
      if (magnitude >= kMi) return show_digits(base / kMi) + " MiB";
      if (magnitude >= kKi) return show_digits(base / kKi) + " KiB";
      return show_digits(base) + " bytes";
    case Measure::kPercent:
      return show_digits(base * 100) + "%";
    case Measure::kPlain:
      break;
  }
  const std::string digits = show_digits(value);
  return unit_name.empty() || unit_name == "1" ? digits : digits + " " + std::string(unit_name);
}

}  // namespace plumb::llm_analyzer
