// How requests reach the target: the border between the schedule and whatever speaks HTTP.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TRANSPORT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_load/error_class.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/timeline.h"

namespace plumb::http_load {

// Takes what an answer brings, while it comes. Without one, transports read over headers and
// bodies. Input is untrusted: whoever keeps it bounds it.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  // The final answer begins, perhaps not for the first time: a request that found its kept
  // connection dead goes out once more.
  virtual void on_answer(int status) = 0;
  virtual void on_header(std::string_view name, std::string_view value) = 0;
  // A part of the body, at `now_ns`. False: the answer is complete for its reader, whatever
  // follows; the request ends here, and its connection is not used again unless others share it.
  virtual bool on_body(std::string_view bytes, int64_t now_ns) = 0;
};

// One request to send. What it points to lives until its completion.
struct Start {
  uint32_t endpoint = 0;    // index into the plan's requests
  int64_t intended_ns = 0;  // when the schedule wanted it
  int64_t queued_ns = 0;    // since when it has waited for a connection; 0: it did not wait
  uint32_t user = 0;        // the caller's; comes back with the completion
  const Message* message = nullptr;  // in place of the endpoint's own; null: as planned
  AnswerSink* sink = nullptr;
};

// What became of it.
struct Completion {
  uint32_t endpoint = 0;
  uint32_t user = 0;
  int status = 0;  // 0: no answer
  ErrorClass error = ErrorClass::kNone;
  Timeline times;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint32_t connections_opened = 0;
  int64_t first_event_ns = 0;      // when a stream's first event was complete; 0: none was
  std::string_view server_timing;  // all such headers, joined with commas; valid during the call
  std::string_view detail;         // one sentence for an error; valid during the call
};

class CompletionHandler {
 public:
  virtual ~CompletionHandler() = default;
  // Called from Transport::poll only. May call Transport::start.
  virtual void on_completion(Completion& completion) = 0;
};

// Single-threaded: every function on the thread that drives. Each started request completes once,
// unless it is abandoned.
class Transport {
 public:
  virtual ~Transport() = default;
  // False while as many requests are in flight as the connections that are allowed can carry.
  virtual bool can_start() const = 0;
  // Begins a request at once. Only when can_start(). Failures come as completions.
  virtual void start(const Start& request) = 0;
  // Reports what has ended; returns at `until_ns`, after some completions, or when woken.
  virtual void poll(int64_t until_ns, CompletionHandler& handler) = 0;
  virtual size_t in_flight() const = 0;
  // Drops what is in flight, without completions.
  virtual void abandon_all() = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TRANSPORT_H_
