// The client's side of one HTTP/2 connection over nghttp2, without the socket: bytes in, bytes out,
// and what became of each exchange. Input is untrusted: memory is bounded (the headers of an answer
// end at 80 KiB, bodies are passed on), and a peer that breaks the rules ends the exchange or the
// session, never the process. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SESSION_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SESSION_H_

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/http_load/http2_request.h"
#include "plugins/http_load/recycled_memory.h"
#include "plugins/http_load/timeline.h"
#include "plugins/http_load/trace_ids.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class Http2Session;

// A request and its answer, on one stream. Whoever owns it keeps it where it is, and alive for as
// long as the session lives: nghttp2 still knows it after its end.
struct Http2Exchange {
  enum class End : uint8_t {
    kAnswered,     // completely, or as far as the sink wanted
    kReset,        // by the peer
    kUnprocessed,  // the peer says that it has not touched it: it can go out once more
    kViolation,    // what came is no HTTP
    kUnsendable,   // for this side's own reasons
  };

  AnswerSink* sink = nullptr;

  // Kept by the session from submit() on.
  Http2Session* session = nullptr;  // null when no stream carries it
  int32_t id = 0;
  std::array<char, TraceIds::kIdsSize> ids{};
  std::string_view unsent_body;
  bool is_packed = false;    // all of it
  bool is_complete = false;  // the answer
  bool is_interim = false;   // what comes is not the answer yet
  int status = 0;            // 0: not known yet
  size_t header_bytes = 0;
  std::string server_timing;  // all such headers, joined with commas
  Timeline times;             // sent, first byte, finished
  uint64_t sent = 0;          // in frames of the stream, before TLS
  uint64_t received = 0;

  // After its end.
  End end = End::kAnswered;
  std::string detail;  // one sentence, unless it was answered
};

class Http2Session {
 public:
  // `memory` outlives the session.
  explicit Http2Session(RecycledMemory& memory);
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Queues the request. False, and nothing has changed, when the session takes no more: a
  // connection has names for 2^30 streams. `request` lives until the exchange has ended.
  bool submit(Http2Exchange& exchange, Http2Request& request, TraceIds& traces);
  // Ends the exchange for this side: the stream is reset, and the exchange free for another.
  void cancel(Http2Exchange& exchange);

  // Takes what arrived at `now_ns`.
  void feed(std::string_view bytes, int64_t now_ns);
  // Appends what is to be sent, about `most` bytes of it at a time; nothing is left when it
  // appended less.
  void pack(std::string& out, size_t most, int64_t now_ns);
  // All that was packed has been handed to the kernel.
  void handed_over(int64_t now_ns);

  // What ended in feed() and pack(), in order; the caller clears it.
  std::vector<Http2Exchange*>& ended() { return ended_; }

  // How many streams the peer allows at a time; what is usual until it has said so.
  size_t most_streams() const;
  // The peer takes no more requests on this connection. What it has begun it may still finish.
  bool is_closing() const { return is_closing_; }
  // The peer broke the protocol: nothing more comes of this session.
  bool is_broken() const { return is_broken_; }
  // Why it is broken, or why the peer took its leave; empty when there was no reason.
  const std::string& problem() const { return problem_; }

 private:
  struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  Http2Exchange*& recent(int32_t id) {
    return recent_[(static_cast<uint32_t>(id) >> 1) % recent_.size()];  // clients' ids are odd
  }
  Http2Exchange* find(int32_t id);
  Http2Exchange* take_unpacked(int32_t id);
  bool is_open(const Http2Exchange* exchange, int32_t id) const {
    return exchange != nullptr && exchange->session == this && exchange->id == id;
  }
  void finish(Http2Exchange& exchange, Http2Exchange::End end, std::string detail = {});
  void reset(int32_t id);
  void break_off(std::string problem);

  void on_header(Http2Exchange& exchange, std::string_view name, std::string_view value);
  void on_body(Http2Exchange& exchange, std::string_view bytes);
  void on_frame(const nghttp2_frame& frame);
  void on_sent(const nghttp2_frame& frame);
  void on_not_sent(const nghttp2_frame& frame, int reason);
  void on_closed(int32_t id, uint32_t code);

  std::unique_ptr<nghttp2_session, Free> session_;
  int64_t now_ns_ = 0;
  // Where the latest exchanges are, by the number of their stream, so that nghttp2 need not be
  // asked with each of its callbacks. One that has been pushed out is found the long way.
  std::array<Http2Exchange*, 1024> recent_{};
  std::vector<std::pair<int32_t, Http2Exchange*>> unpacked_;  // in the order of submit()
  bool has_sent_ids_ = false;
  size_t unpacked_at_ = 0;                                  // its first that counts
  std::vector<std::pair<int32_t, Http2Exchange*>> packed_;  // and not handed over
  std::vector<Http2Exchange*> ended_;
  bool is_closing_ = false;
  bool is_broken_ = false;
  std::string problem_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SESSION_H_
