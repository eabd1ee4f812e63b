#include "core/base/json_text.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "core/base/obeyed_text.h"

namespace plumb {

std::string json_text(const nlohmann::json& value, int indent) {
  const std::string text = value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (std::string_view rest = text; !rest.empty();) {
    const ObeyedCharacter obeyed = obeyed_at_start(rest);
    // Of those below U+0020 only the indentation's line breaks are left: all others stand in
    // strings, where they are escaped already.
    if (obeyed.bytes == 0 || obeyed.code < 0x20) {
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    std::array<char, 8> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\u%04x", obeyed.code & 0xFFFFU);
    out += escaped.data();
    rest.remove_prefix(obeyed.bytes);
  }
  return out;
}

}  // namespace plumb
