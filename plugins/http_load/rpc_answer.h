// Takes the answer to one JSON-RPC request as it comes over HTTP: a JSON body, or a stream of
// server-sent events with the answer among them. Input is untrusted and kept bounded.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_RPC_ANSWER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_RPC_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/http_load/json_rpc.h"
#include "plugins/http_load/sse_decoder.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

// A stream normally ends after the answer, by itself, and its connection is kept. It is left at the
// answer when `cuts_streams` says so, for servers that leave it open, and when anything comes after
// the answer, such as a ping to keep it alive.
class RpcAnswer final : public AnswerSink, private SseHandler {
 public:
  static constexpr size_t kMostBytes = SseDecoder::kMostBytes;

  // What comes next answers request `id`.
  void expect(uint64_t id, bool cuts_streams);

  void on_answer(int status) override;
  void on_header(std::string_view name, std::string_view value) override;
  bool on_body(std::string_view bytes, int64_t now_ns) override;

  // What the answer says, once it is complete. Destroys what it was made from: call it once.
  RpcReply take_reply();
  // In a stream, the answer has come, whether or not the stream has ended.
  bool has_streamed_reply() const { return streamed_.has_value(); }
  // Nothing came, as is right for the answer to a notification.
  bool is_empty() const { return body_.empty() && !is_stream_; }
  bool is_stream() const { return is_stream_; }
  // When the first event with a message was complete; 0: none came.
  int64_t first_event_ns() const { return first_event_ns_; }
  // In a stream, when the event that is the answer was complete; 0: it has not come.
  int64_t answered_ns() const { return answered_ns_; }
  // Empty when the server gave none that can be sent back.
  const std::string& session_id() const { return session_id_; }

 private:
  void on_event(const SseEvent& event) override;

  uint64_t id_ = 0;
  bool cuts_streams_ = false;
  bool is_stream_ = false;
  bool is_too_large_ = false;
  int64_t now_ns_ = 0;
  int64_t first_event_ns_ = 0;
  int64_t answered_ns_ = 0;
  std::string session_id_;
  std::string body_;
  SseDecoder events_;
  std::optional<RpcReply> streamed_;
};

// Reads the answer, and makes a failure of a completion whose answer is an error or none at all.
// `detail` keeps the completion's sentence. A status that is a failure anyhow stays one.
RpcReply settle(RpcAnswer& answer, const Request& request, Completion& completion,
                std::string& detail);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_RPC_ANSWER_H_
