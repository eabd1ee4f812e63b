// Text that came from a plugin.
#ifndef PLUMB_CORE_HOST_TEXT_H_
#define PLUMB_CORE_HOST_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace plumb::host {

bool is_utf8(std::string_view text);

// `text` with each byte that is not part of UTF-8, and each control character but tab and line
// feed, replaced by '?', cut to at most `most` bytes without cutting a character.
std::string clean_text(std::string_view text, size_t most);

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_TEXT_H_
