// The `Server-Timing` response header (W3C): metrics "name;dur=12.3;desc=\"...\"", comma-separated.
// Input comes from the network and may be anything: what cannot be read is skipped, and work is
// bounded by the length of the text.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SERVER_TIMING_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SERVER_TIMING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::http_load {

struct ServerTiming {
  std::string_view name;  // into the parsed text; an HTTP token of at most 64 characters
  uint64_t duration_ns;
};

// Walks the metrics that carry a duration. Several headers may be joined with commas first.
class ServerTimingReader {
 public:
  explicit ServerTimingReader(std::string_view text) : rest_(text) {}
  // The next metric with a valid name and a duration (finite, 0 to 1 hour), or none at the end.
  std::optional<ServerTiming> next();

 private:
  std::string_view rest_;
};

// Appends the value of one such header to `out`, after a comma when there is one already, unless
// that would make `out` longer than 4,096 characters.
void append_timing_value(std::string_view value, std::string& out);
// Appends the value of a header line ("Server-Timing: ...", any case, with its line end) to `out`,
// after a comma when there is one already. Other lines change
// nothing.
void append_server_timing(std::string_view line, std::string& out);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SERVER_TIMING_H_
