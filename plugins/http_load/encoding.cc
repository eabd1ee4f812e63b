#include "plugins/http_load/encoding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>

namespace plumb::http_load {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void append_percent(char c, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  const char encoded[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  out.append(encoded, sizeof(encoded));
}

}  // namespace

void append_url_encoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      append_percent(c, out);
  }
}

void append_path_safe(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c <= 0x20 || c == 0x7f || c == '#' || static_cast<unsigned char>(c) >= 0x80)
      append_percent(c, out);
    else
      out += c;
  }
}

void append_json_escaped(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
}

void append_line_safe(std::string_view text, std::string& out) {
  for (const char c : text)
    if (!is_control(c) || c == '\t') out += c;
}

void append_base64(std::string_view bytes, std::string& out) {
  const size_t before = out.size();
  // One more: OpenSSL ends it with a null.
  out.resize(before + (bytes.size() + 2) / 3 * 4 + 1);
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + before),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(before + static_cast<size_t>(size));
}

void append_base64url(std::string_view bytes, std::string& out) {
  const size_t before = out.size();
  append_base64(bytes, out);
  while (out.size() > before && out.back() == '=') out.pop_back();
  std::replace(out.begin() + static_cast<ptrdiff_t>(before), out.end(), '+', '-');
  std::replace(out.begin() + static_cast<ptrdiff_t>(before), out.end(), '/', '_');
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; });
}

std::string printable(std::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = c == '\n' || c == '\r' || c == '\t' ? ' ' : '?';
  if (text.size() > most) out += "...";
  return out;
}

}  // namespace plumb::http_load
