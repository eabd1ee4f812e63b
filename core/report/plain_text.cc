#include "core/report/plain_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace plumb::report {
namespace {

constexpr int kDeepest = 64;  // a document's nesting: deeper ones would exhaust a stack somewhere
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  char32_t code = 0;
  size_t length = 1;  // bytes
  bool valid = false;
};

// The character at the start of `text`, which is not empty. Overlong forms, surrogates and what
// lies beyond U+10FFFF are not valid; an invalid byte is taken alone.
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length, true};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool turns_direction(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E ||
         c == 0x200F || c == 0x061C;
}

bool is_line_separator(char32_t c) { return c == 0x2028 || c == 0x2029; }

size_t columns_of(char32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F))
    return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                    (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

// A string of report.json: what a terminal would obey is gone, all else is as it was.
std::string obeyed_by_none(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid || (is_control(c.code) && c.code != '\n' && c.code != '\t' && c.code != '\r'))
      out += kReplacement;
    else if (c.code == '\r')
      out += text.substr(0, 2) == "\r\n" ? "" : "\n";
    else
      out += text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out;
}

std::string cleaned(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    const bool line = c.valid && (c.code == '\n' || c.code == '\t');
    if (line || (c.valid && (c.code == '\r' || is_line_separator(c.code))))
      out += keep_lines && line ? text[0] : ' ';
    else if (!c.valid || is_control(c.code) || turns_direction(c.code))
      out += kReplacement;
    else
      out += text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out;
}

nlohmann::json valid_at(const nlohmann::json& document, int depth) {
  if (document.is_string()) return obeyed_by_none(document.get_ref<const std::string&>());
  if (!document.is_structured()) return document;
  if (depth >= kDeepest) return nullptr;
  nlohmann::json out = document.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  if (document.is_array())
    for (const auto& item : document) out.push_back(valid_at(item, depth + 1));
  else
    for (const auto& [key, value] : document.items())
      out[obeyed_by_none(key)] = valid_at(value, depth + 1);
  return out;
}

// Bytes of the longest prefix that takes at most `columns` columns.
size_t prefix_within(std::string_view text, size_t columns) {
  size_t used = 0;
  size_t at = 0;
  while (at < text.size()) {
    const Character c = first_character(text.substr(at));
    used += columns_of(c.code);
    if (used > columns) break;
    at += c.length;
  }
  return at;
}

std::string blanks(size_t wanted, size_t taken) {
  return std::string(wanted > taken ? wanted - taken : 0, ' ');
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    out += c.valid ? text.substr(0, c.length) : kReplacement;
    text.remove_prefix(c.length);
  }
  return out;
}

nlohmann::json valid_document(const nlohmann::json& document) { return valid_at(document, 0); }

std::string one_line(std::string_view text) { return cleaned(text, false); }
std::string many_lines(std::string_view text) { return cleaned(text, true); }

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    columns += columns_of(c.code);
    text.remove_prefix(c.length);
  }
  return columns;
}

std::string cut(std::string_view text, size_t columns) {
  const size_t whole = prefix_within(text, columns);
  if (whole == text.size()) return std::string(text);
  if (columns == 0) return {};
  std::string out(text.substr(0, prefix_within(text, columns - 1)));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out + "…";
}

std::string cut_middle(std::string_view text, size_t columns) {
  if (prefix_within(text, columns) == text.size() || columns < 3) return cut(text, columns);
  const size_t most_behind = (columns - 1) / 2;
  size_t from = text.size();
  for (size_t at = from; at > 0; from = at) {
    do --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    if (columns_of(text.substr(at)) > most_behind) break;
  }
  const std::string_view behind = text.substr(from);
  return std::string(text.substr(0, prefix_within(text, columns - 1 - columns_of(behind)))) + "…" +
         std::string(behind);
}

std::string fill_right(std::string_view text, size_t columns) {
  std::string out = cut(text, columns);
  return out + blanks(columns, columns_of(out));
}

std::string fill_left(std::string_view text, size_t columns) {
  const std::string out = cut(text, columns);
  return blanks(columns, columns_of(out)) + out;
}

std::vector<std::string> wrap(std::string_view text, size_t columns) {
  columns = std::max<size_t>(columns, 8);
  std::vector<std::string> lines;
  while (true) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    size_t fits = prefix_within(text, columns);
    if (fits == text.size()) break;
    if (text[fits] != ' ') {
      const size_t blank = text.rfind(' ', fits);
      if (blank != std::string_view::npos && blank > 0) fits = blank;
    }
    std::string_view line = text.substr(0, fits);
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(fits);
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

}  // namespace plumb::report
