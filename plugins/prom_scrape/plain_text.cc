#include "plugins/prom_scrape/plain_text.h"

#include <algorithm>

namespace plumb::prom_scrape {
namespace {

constexpr std::string_view kCut = "...";

bool in_range(char c, unsigned least, unsigned most) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= least && byte <= most;
}

// How many bytes the character at the begin of `text` has, by the table of well-formed sequences
// of the Unicode standard; 0 when it is none.
size_t well_formed(std::string_view text) {
  if (in_range(text[0], 0x00, 0x7F)) return 1;
  struct Form {
    unsigned first, last, second_least, second_most;
    size_t length;
  };
  static constexpr Form kForms[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
                                    {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                                    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
  for (const Form& form : kForms) {
    if (!in_range(text[0], form.first, form.last)) continue;
    if (text.size() < form.length || !in_range(text[1], form.second_least, form.second_most))
      return 0;
    const std::string_view rest = text.substr(2, form.length - 2);
    const bool good =
        std::all_of(rest.begin(), rest.end(), [](char c) { return in_range(c, 0x80, 0xBF); });
    return good ? form.length : 0;
  }
  return 0;
}

}  // namespace

std::string plain_text(std::string_view text, size_t most) {
  std::string out;
  size_t room_for_cut = 0;  // how much of `out` stays when the text proves too long
  while (!text.empty()) {
    const size_t length = well_formed(text);
    const bool control = length == 1 && (in_range(text[0], 0x00, 0x1F) || text[0] == 0x7F);
    const std::string_view piece = length == 0 ? "?" : control ? " " : text.substr(0, length);
    if (out.size() + piece.size() > most) {
      out.resize(room_for_cut);
      return out.append(kCut.substr(0, most));
    }
    out += piece;
    if (out.size() + kCut.size() <= most) room_for_cut = out.size();
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace plumb::prom_scrape
