// Encodings that fit a value into the place it goes to. Each appends to `out`.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ENCODING_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ENCODING_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace plumb::http_load {

// All but the unreserved characters of RFC 3986 as %XX.
void append_url_encoded(std::string_view text, std::string& out);
// Only what a request line cannot hold (blanks, control characters, #, bytes beyond ASCII) as %XX.
void append_path_safe(std::string_view text, std::string& out);
// As it stands between the quotes of a JSON string.
void append_json_escaped(std::string_view text, std::string& out);
// Without control characters, which would end a header's line.
void append_line_safe(std::string_view text, std::string& out);
void append_base64(std::string_view bytes, std::string& out);
// RFC 4648 section 5, without padding.
void append_base64url(std::string_view bytes, std::string& out);

bool has_control_character(std::string_view text);
// Text from outside, fit for a sentence: at most `most` bytes, and only printable ASCII.
std::string printable(std::string_view text, size_t most);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ENCODING_H_
