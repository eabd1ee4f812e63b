#include "plugins/http_load/http1_response.h"

#include <strings.h>

#include "plugins/http_load/server_timing.h"

namespace plumb::http_load {
namespace {

constexpr std::string_view kServerTiming = "server-timing";
constexpr size_t kMostValue = 4'096;
constexpr int kLeastStatus = 100;

bool is_interim(int status) { return status >= 100 && status < 200 && status != 101; }

Http1Response& self_of(http_parser* parser) { return *static_cast<Http1Response*>(parser->data); }

}  // namespace

http_parser_settings Http1Response::make_callbacks(bool with_sink) {
  http_parser_settings out;
  http_parser_settings_init(&out);
  out.on_message_begin = [](http_parser* parser) {
    Http1Response& self = self_of(parser);
    if (self.complete_) self.surplus_ = true;
    return self.complete_ ? 1 : 0;
  };
  out.on_header_field = [](http_parser* parser, const char* at, size_t size) {
    Http1Response& self = self_of(parser);
    if (self.in_value_) self.end_header();
    if (self.sink_ != nullptr || self.name_.size() + size <= kServerTiming.size()) {
      self.name_.append(at, size);
    } else {
      self.name_ = "-";  // and nothing that is appended makes it one that matters
    }
    return 0;
  };
  out.on_header_value = [](http_parser* parser, const char* at, size_t size) {
    Http1Response& self = self_of(parser);
    if (!self.in_value_) self.value_.clear();
    self.in_value_ = true;
    const bool timing =
        self.name_.size() == kServerTiming.size() && self.value_.size() + size <= kMostValue;
    if (self.sink_ != nullptr || timing) self.value_.append(at, size);
    return 0;
  };
  out.on_headers_complete = [](http_parser* parser) {
    Http1Response& self = self_of(parser);
    if (parser->status_code < kLeastStatus) return -1;
    if (self.in_value_) self.end_header();
    if (self.sink_ != nullptr) self.tell_answer();
    return self.to_head_ ? 1 : 0;  // 1: no body follows
  };
  out.on_message_complete = [](http_parser* parser) {
    Http1Response& self = self_of(parser);
    self.status_ = static_cast<int>(parser->status_code);
    if (is_interim(self.status_)) {
      self.server_timing_.clear();
      self.told_ = false;
      return 0;
    }
    self.complete_ = true;
    self.keep_alive_ = http_should_keep_alive(parser) != 0;
    return 0;
  };
  if (with_sink) {
    out.on_body = [](http_parser* parser, const char* at, size_t size) {
      return self_of(parser).take_body({at, size});
    };
  }
  return out;
}

const http_parser_settings& Http1Response::callbacks() const {
  static const http_parser_settings kPlain = make_callbacks(false);
  static const http_parser_settings kWithSink = make_callbacks(true);
  return sink_ == nullptr ? kPlain : kWithSink;
}

// Once for each answer that is not an interim one, before its headers.
void Http1Response::tell_answer() {
  const auto status = static_cast<int>(parser_.status_code);
  if (told_ || status < kLeastStatus || is_interim(status)) return;
  told_ = true;
  sink_->on_answer(status);
}

int Http1Response::take_body(std::string_view bytes) {
  if (!told_) return 0;  // of an interim answer, which should have none
  if (sink_->on_body(bytes, now_ns_)) return 0;
  status_ = static_cast<int>(parser_.status_code);
  complete_ = true;  // and not kept alive: the rest of it is still to come
  return 1;
}

void Http1Response::begin(bool to_head, AnswerSink* sink) {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
  sink_ = sink;
  status_ = 0;
  to_head_ = to_head;
  complete_ = keep_alive_ = surplus_ = in_value_ = told_ = false;
  name_.clear();
  server_timing_.clear();
}

void Http1Response::end_header() {
  if (strcasecmp(name_.c_str(), kServerTiming.data()) == 0 && value_.size() <= kMostValue)
    append_timing_value(value_, server_timing_);
  if (sink_ != nullptr) {
    tell_answer();
    if (told_) sink_->on_header(name_, value_);
  }
  name_.clear();
  in_value_ = false;
}

Http1Response::Progress Http1Response::progress_after(size_t taken, size_t given) {
  if (complete_) {
    surplus_ = surplus_ || taken < given || parser_.upgrade != 0;
    return Progress::kComplete;
  }
  return HTTP_PARSER_ERRNO(&parser_) == HPE_OK && taken == given && parser_.upgrade == 0
             ? Progress::kMore
             : Progress::kMalformed;
}

Http1Response::Progress Http1Response::feed(std::string_view bytes, int64_t now_ns) {
  now_ns_ = now_ns;
  const size_t taken = http_parser_execute(&parser_, &callbacks(), bytes.data(), bytes.size());
  return progress_after(taken, bytes.size());
}

Http1Response::Progress Http1Response::close() {
  http_parser_execute(&parser_, &callbacks(), nullptr, 0);
  return complete_ ? Progress::kComplete : Progress::kMore;
}

std::string Http1Response::problem() const {
  const auto code = HTTP_PARSER_ERRNO(&parser_);
  if (parser_.status_code < kLeastStatus && code == HPE_CB_headers_complete)
    return "a status of less than three digits";
  if (code == HPE_OK) return "the answer switches to another protocol";
  return http_errno_description(code);
}

}  // namespace plumb::http_load
