// Reads one HTTP/1.1 answer from the bytes of a connection as they come, over http_parser. Input is
// untrusted: memory is bounded (headers end at 80 KiB, bodies are passed on). Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP1_RESPONSE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP1_RESPONSE_H_

#include <http_parser.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class Http1Response {
 public:
  enum class Progress : uint8_t { kMore, kComplete, kMalformed };

  // The next answer, to a HEAD request or another. `sink` may be null.
  void begin(bool to_head, AnswerSink* sink = nullptr);
  // Takes what arrived at `now_ns`. Interim answers (100 to 199) are read over.
  Progress feed(std::string_view bytes, int64_t now_ns = 0);
  // The peer has closed: completes an answer that lasts until then.
  Progress close();

  int status() const { return status_; }
  // Whether the connection can carry another request: the answer allows it, and nothing came after.
  bool reusable() const { return keep_alive_ && !surplus_; }
  // All Server-Timing headers, joined with commas.
  const std::string& server_timing() const { return server_timing_; }
  // Why it is malformed.
  std::string problem() const;

 private:
  static http_parser_settings make_callbacks(bool with_sink);
  const http_parser_settings& callbacks() const;
  void tell_answer();
  int take_body(std::string_view bytes);
  Progress progress_after(size_t taken, size_t given);
  void end_header();

  http_parser parser_{};
  AnswerSink* sink_ = nullptr;
  int64_t now_ns_ = 0;
  int status_ = 0;
  bool to_head_ = false;
  bool complete_ = false;
  bool keep_alive_ = false;
  bool surplus_ = false;   // bytes came after the end of the answer
  bool in_value_ = false;  // of the header in name_ and value_
  bool told_ = false;      // the sink has been told of this answer
  std::string name_;       // without a sink: as far as it can still be one that matters
  std::string value_;      // without a sink: only of one that matters
  std::string server_timing_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP1_RESPONSE_H_
