#include "plugins/http_load/http1_response.h"

#include <strings.h>

#include "plugins/http_load/server_timing.h"

namespace plumb::http_load {
namespace {

constexpr std::string_view kServerTiming = "server-timing";
constexpr size_t kMostValue = 4'096;

bool is_interim(int status) { return status >= 100 && status < 200 && status != 101; }

Http1Response& self_of(http_parser* parser) { return *static_cast<Http1Response*>(parser->data); }

}  // namespace

const http_parser_settings& Http1Response::callbacks() {
  static const http_parser_settings kCallbacks = [] {
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
      if (self.name_.size() + size <= kServerTiming.size()) {
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
      if (self.name_.size() == kServerTiming.size() && self.value_.size() + size <= kMostValue)
        self.value_.append(at, size);
      return 0;
    };
    out.on_headers_complete = [](http_parser* parser) {
      Http1Response& self = self_of(parser);
      if (self.in_value_) self.end_header();
      return self.to_head_ ? 1 : 0;  // 1: no body follows
    };
    out.on_message_complete = [](http_parser* parser) {
      Http1Response& self = self_of(parser);
      self.status_ = static_cast<int>(parser->status_code);
      if (is_interim(self.status_)) {
        self.server_timing_.clear();
        return 0;
      }
      self.complete_ = true;
      self.keep_alive_ = http_should_keep_alive(parser) != 0;
      return 0;
    };
    return out;
  }();
  return kCallbacks;
}

void Http1Response::begin(bool to_head) {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
  status_ = 0;
  to_head_ = to_head;
  complete_ = keep_alive_ = surplus_ = in_value_ = false;
  name_.clear();
  server_timing_.clear();
}

void Http1Response::end_header() {
  if (strncasecmp(name_.c_str(), kServerTiming.data(), kServerTiming.size()) == 0)
    append_timing_value(value_, server_timing_);
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

Http1Response::Progress Http1Response::feed(std::string_view bytes) {
  const size_t taken = http_parser_execute(&parser_, &callbacks(), bytes.data(), bytes.size());
  return progress_after(taken, bytes.size());
}

Http1Response::Progress Http1Response::close() {
  http_parser_execute(&parser_, &callbacks(), nullptr, 0);
  return complete_ ? Progress::kComplete : Progress::kMore;
}

std::string Http1Response::problem() const {
  const auto code = HTTP_PARSER_ERRNO(&parser_);
  if (code == HPE_OK) return "the answer switches to another protocol";
  return http_errno_description(code);
}

}  // namespace plumb::http_load
