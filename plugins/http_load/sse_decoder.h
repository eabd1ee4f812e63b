// Reads a stream of server-sent events as it comes, by the rules of the WHATWG's HTML standard,
// "Interpreting an event stream". Input is untrusted: memory is bounded. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SSE_DECODER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SSE_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::http_load {

// Borrowed for the duration of the call.
struct SseEvent {
  std::string_view type;  // "message" unless the stream says otherwise
  std::string_view data;  // its lines joined by line feeds
  std::string_view id;    // of this event or, where it has none, of the last one that had
};

class SseHandler {
 public:
  virtual ~SseHandler() = default;
  virtual void on_event(const SseEvent& event) = 0;
};

class SseDecoder {
 public:
  static constexpr size_t kMostBytes = 4 * 1024 * 1024;

  // `most_bytes` bounds an event: its data and the line that is being read.
  explicit SseDecoder(size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}

  // Forgets everything; a new stream begins.
  void reset();
  // Takes the next bytes, however they were cut, and passes on every event that is complete. False
  // once an event was too large: the stream is lost then, and so is what follows.
  bool feed(std::string_view bytes, SseHandler& handler);
  // The pause before reconnecting that the stream last asked for, in milliseconds.
  std::optional<uint64_t> retry_ms() const { return retry_ms_; }

 private:
  void take(std::string_view line, SseHandler& handler);
  void take_field(std::string_view name, std::string_view value);
  void dispatch(SseHandler& handler);

  size_t most_bytes_;
  bool first_line_ = true;     // which may begin with a byte order mark
  bool after_return_ = false;  // a line feed next belongs to the line's end
  bool lost_ = false;
  std::string line_;  // begun in bytes before
  std::string type_;
  std::string data_;  // each line with its line feed
  std::string id_;
  std::optional<uint64_t> retry_ms_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SSE_DECODER_H_
