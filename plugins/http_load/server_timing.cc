#include "plugins/http_load/server_timing.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace plumb::http_load {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kLongestHeaders = 4096;
constexpr double kLargestMs = 3'600'000;

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// A cursor over the text; every step consumes at least one character or fails.
struct Cursor {
  std::string_view& rest;

  bool at(char c) const { return !rest.empty() && rest.front() == c; }
  void skip_space() {
    while (at(' ') || at('\t')) rest.remove_prefix(1);
  }
  std::string_view token() {
    size_t n = 0;
    while (n < rest.size() && is_token_char(rest[n])) ++n;
    const std::string_view out = rest.substr(0, n);
    rest.remove_prefix(n);
    return out;
  }
  // A quoted string without its quotes and with its escapes untouched: a duration has none.
  std::string_view quoted() {
    rest.remove_prefix(1);
    size_t n = 0;
    while (n < rest.size() && rest[n] != '"') n += rest[n] == '\\' ? 2 : 1;
    n = std::min(n, rest.size());
    const std::string_view out = rest.substr(0, n);
    rest.remove_prefix(std::min(n + 1, rest.size()));
    return out;
  }
  // Up to the next `;` or `,` outside quotes.
  void skip_junk() {
    while (!rest.empty() && !at(';') && !at(',')) {
      if (at('"'))
        quoted();
      else
        rest.remove_prefix(1);
    }
  }
};

bool is_dur(std::string_view name) {
  return name.size() == 3 && (name[0] | 32) == 'd' && (name[1] | 32) == 'u' &&
         (name[2] | 32) == 'r';
}

std::optional<uint64_t> nanoseconds_of(std::string_view ms) {
  double value = 0;
  const auto [end, error] = std::from_chars(ms.data(), ms.data() + ms.size(), value);
  if (error != std::errc() || end != ms.data() + ms.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0 || value > kLargestMs) return std::nullopt;
  return static_cast<uint64_t>(std::llround(value * 1e6));
}

}  // namespace

std::optional<ServerTiming> ServerTimingReader::next() {
  Cursor in{rest_};
  while (!rest_.empty()) {
    in.skip_space();
    const std::string_view name = in.token();
    std::optional<uint64_t> duration;
    bool seen = false;  // the first `dur` counts, as the specification has it
    in.skip_junk();
    while (in.at(';')) {
      rest_.remove_prefix(1);
      in.skip_space();
      const std::string_view key = in.token();
      in.skip_space();
      if (in.at('=')) {
        rest_.remove_prefix(1);
        in.skip_space();
        const std::string_view value = in.at('"') ? in.quoted() : in.token();
        if (is_dur(key) && !seen) {
          duration = nanoseconds_of(value);
          seen = true;
        }
      }
      in.skip_junk();
    }
    if (in.at(',')) rest_.remove_prefix(1);
    if (duration && !name.empty() && name.size() <= kLongestName)
      return ServerTiming{name, *duration};
  }
  return std::nullopt;
}

void append_timing_value(std::string_view value, std::string& out) {
  if (out.size() + value.size() + 1 > kLongestHeaders) return;
  if (!out.empty()) out += ',';
  out += value;
}

void append_server_timing(std::string_view line, std::string& out) {
  constexpr std::string_view kName = "server-timing:";
  if (line.size() < kName.size()) return;
  const auto same = [](char name, char c) { return name == (c >= 'A' && c <= 'Z' ? c | 32 : c); };
  if (!std::equal(kName.begin(), kName.end(), line.begin(), same)) return;
  line.remove_prefix(kName.size());
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  append_timing_value(line, out);
}

}  // namespace plumb::http_load
