// Walking through the text of /proc: words, whole numbers, keys. Nothing allocates or throws.
#ifndef PLUMB_PLUGINS_PROC_FIELDS_H_
#define PLUMB_PLUGINS_PROC_FIELDS_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plumb::proc {

// Takes the next word off `text`; empty when there is none.
inline std::string_view next_word(std::string_view& text) {
  size_t i = 0;
  while (i < text.size() && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')) ++i;
  size_t end = i;
  while (end < text.size() && text[end] != ' ' && text[end] != '\t' && text[end] != '\n') ++end;
  const std::string_view word = text.substr(i, end - i);
  text.remove_prefix(end);
  return word;
}

// Takes the next line off `text`, without its newline. `ended` (optional) tells whether the newline
// was there: a last line without one is torn.
inline std::string_view next_line(std::string_view& text, bool* ended = nullptr) {
  const size_t at = text.find('\n');
  if (ended != nullptr) *ended = at != std::string_view::npos;
  const std::string_view line = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return line;
}

// The whole of `word` as a decimal number that fits.
template <typename T = uint64_t>
std::optional<T> to_number(std::string_view word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

template <typename T = uint64_t>
std::optional<T> next_number(std::string_view& text) {
  return to_number<T>(next_word(text));
}

// The number that follows `key` at the start of a line, such as "read_bytes:". The line must end in
// a newline.
inline std::optional<uint64_t> number_after(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = next_line(text, &ended);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    return ended ? next_number(line) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_FIELDS_H_
