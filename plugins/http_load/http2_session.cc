#include "plugins/http_load/http2_session.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "plugins/http_load/server_timing.h"

namespace plumb::http_load {
namespace {

// What the peer may send ahead, for a stream and for the connection: so much that this side is
// never what an answer waits for. Nothing is kept of what arrives, so it costs no memory.
constexpr int32_t kWindow = 1 << 30;
constexpr size_t kMostHeaderBytes = 80 * 1024;
constexpr size_t kMostSentHeaderBytes = 16 << 20;
constexpr size_t kFrameHead = 9;
constexpr size_t kLongestReason = 200;
constexpr std::string_view kTimingHeader = "server-timing";

std::string_view view_of(const uint8_t* at, size_t size) {
  return {reinterpret_cast<const char*>(at), size};
}

// Of three digits, as nghttp2 has checked.
int status_of(std::string_view digits) {
  int out = 0;
  for (const char c : digits) out = out * 10 + (c - '0');
  return out;
}

bool ends_stream(const nghttp2_frame& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

}  // namespace

// nghttp2's callbacks as member functions of the session.
struct Http2Session::Callbacks {
  static Http2Session& self_of(void* self) { return *static_cast<Http2Session*>(self); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                       void* self) {
    if (Http2Exchange* x = self_of(self).find(frame->hd.stream_id); x != nullptr)
      self_of(self).on_header(*x, view_of(name, name_size), view_of(value, value_size));
    return 0;
  }
  static int on_body(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                     void* self) {
    if (Http2Exchange* x = self_of(self).find(id); x != nullptr)
      self_of(self).on_body(*x, view_of(bytes, size));
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    self_of(self).on_frame(*frame);
    return 0;
  }
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    self_of(self).on_sent(*frame);
    return 0;
  }
  static int on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int reason, void* self) {
    self_of(self).on_not_sent(*frame, reason);
    return 0;
  }
  static int on_closed(nghttp2_session*, int32_t id, uint32_t code, void* self) {
    self_of(self).on_closed(id, code);
    return 0;
  }
  static ssize_t read_body(nghttp2_session*, int32_t id, uint8_t* out, size_t most, uint32_t* flags,
                           nghttp2_data_source* source, void* self) {
    auto& exchange = *static_cast<Http2Exchange*>(source->ptr);
    if (!self_of(self).is_open(&exchange, id)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const size_t count = std::min(most, exchange.unsent_body.size());
    std::memcpy(out, exchange.unsent_body.data(), count);
    exchange.unsent_body.remove_prefix(count);
    if (exchange.unsent_body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
  static int on_error(nghttp2_session*, int code, const char*, size_t, void* self) {
    if (code == NGHTTP2_ERR_SETTINGS_EXPECTED)
      self_of(self).problem_ = "not HTTP/2: the peer does not begin with its settings";
    return 0;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* out = nullptr;
    if (nghttp2_session_callbacks_new(&out) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_header_callback(out, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, &on_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(out, &on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(out, &on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(out, &on_not_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(out, &on_closed);
    nghttp2_session_callbacks_set_error_callback2(out, &on_error);
    return out;
  }
};

Http2Session::Http2Session(RecycledMemory& memory) {
  const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>
      callbacks(Callbacks::make(), &nghttp2_session_callbacks_del);
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> options(made,
                                                                               &nghttp2_option_del);
  nghttp2_option_set_max_send_header_block_length(made, kMostSentHeaderBytes);
  nghttp2_session* session = nullptr;
  if (nghttp2_session_client_new3(&session, callbacks.get(), this, made, memory.callbacks()) != 0)
    throw std::bad_alloc();
  session_.reset(session);
  constexpr std::array<nghttp2_settings_entry, 4> kSettings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      // Without them nghttp2 keeps no tree of the streams either.
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMostHeaderBytes},
  }};
  if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, kSettings.data(), kSettings.size()) !=
          0 ||
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kWindow) != 0)
    throw std::bad_alloc();
}

// ---- requests

bool Http2Session::submit(Http2Exchange& exchange, Http2Request& request, TraceIds& traces) {
  if (is_closing_ || is_broken_) return false;
  if (request.wants_ids()) traces.next(exchange.ids.data());
  const auto fields = request.fields(exchange.ids.data(), !has_sent_ids_);
  nghttp2_data_provider body{{.ptr = &exchange}, &Callbacks::read_body};
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                            request.body().empty() ? nullptr : &body, &exchange);
  if (id == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (id < 0) return false;
  has_sent_ids_ = has_sent_ids_ || request.wants_ids();
  exchange.session = this;
  exchange.id = id;
  exchange.unsent_body = request.body();
  exchange.is_packed = exchange.is_complete = exchange.is_interim = false;
  exchange.status = 0;
  exchange.header_bytes = 0;
  exchange.server_timing.clear();
  exchange.detail.clear();
  unpacked_.emplace_back(id, &exchange);
  recent(id) = &exchange;
  return true;
}

void Http2Session::cancel(Http2Exchange& exchange) {
  reset(exchange.id);
  exchange.session = nullptr;
  exchange.id = 0;
}

void Http2Session::reset(int32_t id) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Http2Session::finish(Http2Exchange& exchange, Http2Exchange::End end, std::string detail) {
  exchange.session = nullptr;
  exchange.id = 0;
  exchange.end = end;
  exchange.detail = std::move(detail);
  exchange.times.finished_ns = now_ns_;
  ended_.push_back(&exchange);
}

// An exchange that has ended is forgotten here, not by nghttp2, which may yet speak of its stream.
Http2Exchange* Http2Session::find(int32_t id) {
  if (is_open(recent(id), id)) return recent(id);
  auto* found =
      static_cast<Http2Exchange*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  return is_open(found, id) ? found : nullptr;
}

// ---- bytes

void Http2Session::feed(std::string_view bytes, int64_t now_ns) {
  now_ns_ = now_ns;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) break_off(nghttp2_strerror(static_cast<int>(taken)));
}

void Http2Session::pack(std::string& out, size_t most, int64_t now_ns) {
  now_ns_ = now_ns;
  for (const size_t end = out.size() + most; out.size() < end;) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    if (count < 0) return break_off(nghttp2_strerror(static_cast<int>(count)));
    if (count == 0) return;
    out.append(view_of(bytes, static_cast<size_t>(count)));
  }
}

void Http2Session::handed_over(int64_t now_ns) {
  for (const auto& [id, exchange] : packed_)
    if (is_open(exchange, id)) exchange->times.sent_ns = now_ns;
  packed_.clear();
}

void Http2Session::break_off(std::string problem) {
  if (problem_.empty()) problem_ = "not HTTP/2: " + std::move(problem);
  is_broken_ = is_closing_ = true;
}

size_t Http2Session::most_streams() const {
  return nghttp2_session_get_remote_settings(session_.get(),
                                             NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

// ---- what nghttp2 tells

void Http2Session::on_header(Http2Exchange& x, std::string_view name, std::string_view value) {
  if (x.times.first_byte_ns == 0) x.times.first_byte_ns = now_ns_;
  x.header_bytes += name.size() + value.size();
  if (x.header_bytes > kMostHeaderBytes) {
    const int32_t id = x.id;
    finish(x, Http2Exchange::End::kViolation, "too many header bytes");
    return reset(id);
  }
  if (name.front() == ':') {
    x.status = status_of(value);
    x.is_interim = x.status < 200;
    if (!x.is_interim && x.sink != nullptr) x.sink->on_answer(x.status);
    return;
  }
  if (x.is_interim) return;
  if (name == kTimingHeader) append_timing_value(value, x.server_timing);
  if (x.sink != nullptr) x.sink->on_header(name, value);
}

void Http2Session::on_body(Http2Exchange& x, std::string_view bytes) {
  x.received += bytes.size();
  if (x.sink == nullptr || x.sink->on_body(bytes, now_ns_)) return;
  const int32_t id = x.id;
  finish(x, Http2Exchange::End::kAnswered);
  reset(id);
}

void Http2Session::on_frame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY) {
    is_closing_ = true;
    const uint32_t code = frame.goaway.error_code;
    if (code != NGHTTP2_NO_ERROR && problem_.empty())
      problem_ = std::string("the peer ended the connection: ") + nghttp2_http2_strerror(code);
    return;
  }
  if (frame.hd.type != NGHTTP2_DATA && frame.hd.type != NGHTTP2_HEADERS) return;
  Http2Exchange* x = find(frame.hd.stream_id);
  if (x == nullptr) return;
  x->received += kFrameHead + (frame.hd.type == NGHTTP2_HEADERS ? frame.hd.length : 0);
  if (!ends_stream(frame)) return;
  x->is_complete = true;
  if (x->is_packed) return;  // and its stream is about to close
  // The answer did not wait for the whole body: a refusal of a large one. Nobody wants the rest.
  finish(*x, Http2Exchange::End::kAnswered);
  reset(frame.hd.stream_id);
}

// Of the request whose header fields are next in line, if it has not ended meanwhile.
Http2Exchange* Http2Session::take_unpacked(int32_t id) {
  Http2Exchange* out = nullptr;
  while (unpacked_at_ < unpacked_.size() && unpacked_[unpacked_at_].first <= id) {
    const auto& [its, exchange] = unpacked_[unpacked_at_++];
    if (its == id && is_open(exchange, id)) out = exchange;
  }
  if (unpacked_at_ == unpacked_.size()) {
    unpacked_.clear();
    unpacked_at_ = 0;
  }
  return out;
}

void Http2Session::on_sent(const nghttp2_frame& frame) {
  const int32_t id = frame.hd.stream_id;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: {
      Http2Exchange* x = frame.hd.type == NGHTTP2_HEADERS ? take_unpacked(id) : find(id);
      if (x == nullptr) return;
      x->sent += kFrameHead + frame.hd.length;
      if (!ends_stream(frame)) return;
      x->is_packed = true;
      packed_.emplace_back(id, x);
      return;
    }
    case NGHTTP2_RST_STREAM:
      // This side's own resets are of streams that were forgotten first.
      if (Http2Exchange* x = find(id); x != nullptr)
        finish(*x, Http2Exchange::End::kViolation,
               std::string("not HTTP/2: ") + nghttp2_http2_strerror(frame.rst_stream.error_code));
      return;
    case NGHTTP2_GOAWAY: {  // only ever of nghttp2's own accord
      const std::string_view reason =
          view_of(frame.goaway.opaque_data, frame.goaway.opaque_data_len);
      return break_off(reason.empty() ? nghttp2_http2_strerror(frame.goaway.error_code)
                                      : std::string(reason.substr(0, kLongestReason)));
    }
    default:
      return;
  }
}

void Http2Session::on_not_sent(const nghttp2_frame& frame, int reason) {
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  Http2Exchange* x = take_unpacked(frame.hd.stream_id);
  if (x == nullptr) return;
  const bool unwanted = reason == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED;
  finish(*x, unwanted ? Http2Exchange::End::kUnprocessed : Http2Exchange::End::kUnsendable,
         std::string("the request could not be sent: ") + nghttp2_strerror(reason));
}

void Http2Session::on_closed(int32_t id, uint32_t code) {
  Http2Exchange* x = find(id);
  if (x == nullptr) return;
  if (x->is_complete) return finish(*x, Http2Exchange::End::kAnswered);
  if (x->status == 0 && code == NGHTTP2_REFUSED_STREAM)
    return finish(*x, Http2Exchange::End::kUnprocessed, "the peer refused the stream");
  finish(*x, Http2Exchange::End::kReset,
         std::string("the peer reset the stream ") +
             (x->status == 0 ? "without an answer: " : "in the middle of the answer: ") +
             nghttp2_http2_strerror(code));
}

}  // namespace plumb::http_load
