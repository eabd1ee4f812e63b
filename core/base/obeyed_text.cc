#include "core/base/obeyed_text.h"

namespace plumb {

ObeyedCharacter obeyed_at_start(std::string_view text) {
  const auto byte = [&](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const uint32_t lead = byte(0);
  if (!text.empty() && (lead < 0x20 || lead == 0x7F)) return {1, lead};
  if (lead == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return {2, byte(1)};
  if (lead == 0xD8 && byte(1) == 0x9C) return {2, 0x061C};
  if (lead != 0xE2 || (byte(1) != 0x80 && byte(1) != 0x81)) return {};
  const uint32_t code = 0x2000 + ((byte(1) & 0x3FU) << 6) + (byte(2) & 0x3FU);
  const bool turns = code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  return turns && byte(2) >= 0x80 ? ObeyedCharacter{3, code} : ObeyedCharacter{};
}

}  // namespace plumb
