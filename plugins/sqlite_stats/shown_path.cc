#include "shown_path.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace plumb::sqlite_stats {
namespace {

// Half of what a label's value may have.
constexpr size_t kMostShown = 512;

struct Utf8Form {
  uint8_t mask, lead;  // of the first byte
  size_t length;
  uint32_t least;  // a smaller code point has a shorter form
};
constexpr Utf8Form kForms[] = {
    {0x80, 0x00, 1, 0x20}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

// How many bytes the character at the beginning of `text` has; 0 when there is none that may be
// shown.
size_t character_length(std::string_view text) {
  constexpr uint32_t kDelete = 0x7f;
  constexpr uint32_t kHighest = 0x10ffff;
  const auto first = static_cast<uint8_t>(text.front());
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms), [first](const Utf8Form& f) {
    return (first & f.mask) == f.lead;
  });
  if (form == std::end(kForms) || text.size() < form->length) return 0;
  uint32_t point = first & static_cast<uint8_t>(~form->mask);
  for (size_t i = 1; i < form->length; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    point = point << 6 | (next & 0x3f);
  }
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  const bool control = point == kDelete || (point >= 0x80 && point < 0xa0);
  if (point < form->least || point > kHighest || surrogate || control) return 0;
  return form->length;
}

std::string escaped(char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<uint8_t>(byte);
  return {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

// The end of `text`, from the beginning of a character on.
std::string end_of(const std::string& text, size_t most) {
  size_t from = text.size() - most;
  while ((static_cast<uint8_t>(text[from]) & 0xc0) == 0x80) ++from;
  return "..." + text.substr(from);
}

}  // namespace

std::string shown_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const size_t length = character_length(path);
    if (length == 0) {
      out += escaped(path.front());
      path.remove_prefix(1);
    } else {
      out += path.substr(0, length);
      path.remove_prefix(length);
    }
  }
  return out.size() <= kMostShown ? out : end_of(out, kMostShown - 3);
}

}  // namespace plumb::sqlite_stats
