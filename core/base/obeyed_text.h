// Characters in a text that a terminal obeys instead of showing them.
#ifndef PLUMB_CORE_BASE_OBEYED_TEXT_H_
#define PLUMB_CORE_BASE_OBEYED_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plumb {

struct ObeyedCharacter {
  size_t bytes = 0;  // 0: there is none
  uint32_t code = 0;
};

// The character that `text`, which is UTF-8, begins with, if it is a control character (C0, DEL or
// C1) or a mark that turns the direction of writing, which makes text look like another.
ObeyedCharacter obeyed_at_start(std::string_view text);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_OBEYED_TEXT_H_
