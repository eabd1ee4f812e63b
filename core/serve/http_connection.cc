#include "core/serve/http_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_generator.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message_generator.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <utility>

#include "core/serve/security_headers.h"

namespace plumb::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds kLingerTime{2};
constexpr size_t kLingerBytes = 8 * 1024 * 1024;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

template <typename Body>
http::response<Body> message_for(const Response& response, unsigned version, bool keep_alive) {
  http::response<Body> message;
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  return message;
}

// "1f\r\n<text>\r\n"
std::string chunk(const std::string& text) {
  char size[16];
  const auto end = std::to_chars(size, size + sizeof(size), text.size(), 16).ptr;
  return std::string(size, end) + "\r\n" + text + "\r\n";
}

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, ConnectionContext& context)
    : context_(context),
      stream_(std::move(socket)),
      buffer_(128 * 1024),
      heartbeat_(stream_.get_executor()) {
  context_.open.insert(this);
}

HttpConnection::~HttpConnection() {
  abandon();
  context_.open.erase(this);
  if (turned_away_) --context_.turned_away;
  if (context_.on_close) context_.on_close();
}

void HttpConnection::start() {
  Error ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  read_request();
}

void HttpConnection::turn_away() {
  turned_away_ = true;
  ++context_.turned_away;
  parser_.emplace();
  began_ = std::chrono::steady_clock::now();
  answer(context_.handler.refuse(503, "This daemon serves at most " +
                                          std::to_string(context_.limits.connections) +
                                          " connections at a time. Close one, or try again."));
}

void HttpConnection::wind_down() {
  if (phase_ == Phase::kWaiting || phase_ == Phase::kReading) close();
  if (phase_ == Phase::kStreaming) end_stream();
}

void HttpConnection::abandon() {
  if (log_ && listening_ != 0) log_->unlisten(listening_);
  if (log_) --context_.streams;
  log_.reset();
}

// ---- a request ----

void HttpConnection::read_request() {
  const bool first = !parser_.has_value();
  parser_.emplace();
  parser_->header_limit(context_.limits.header_bytes);
  parser_->body_limit(context_.limits.body_bytes);
  head_ = RequestHead();
  route_.clear();
  if (first || buffer_.size() > 0) return read_header();
  phase_ = Phase::kWaiting;
  stream_.expires_after(context_.limits.idle_time);
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](Error error, size_t bytes) {
                            if (error) return self->close();
                            self->buffer_.commit(bytes);
                            self->read_header();
                          });
}

void HttpConnection::read_header() {
  phase_ = Phase::kReading;
  began_ = std::chrono::steady_clock::now();
  // One deadline for all reads that the headers take, so that a trickle does not extend it.
  stream_.expires_after(context_.limits.header_time);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](Error error, size_t) { self->on_header(error); });
}

void HttpConnection::on_header(Error error) {
  if (error) return on_read_error(error);
  const auto& message = parser_->get();
  head_.method = std::string(message.method_string());
  head_.target = std::string(message.target());
  for (const auto& field : message) {
    head_.headers.emplace_back(lower_case(field.name_string()), std::string(field.value()));
  }
  Error ignored;
  head_.local_port = stream_.socket().local_endpoint(ignored).port();
  Admission admission = context_.handler.admit(head_);
  route_ = std::move(admission.route);
  if (admission.refusal) return answer(std::move(*admission.refusal));
  blocking_ = admission.blocking;
  if (parser_->is_done()) return dispatch();
  const std::string* expect = head_.header("expect");
  if (expect && lower_case(*expect) == "100-continue") return send_continue();
  read_body();
}

void HttpConnection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(context_.limits.write_time);
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](Error error, size_t) {
                      if (error) return self->close();
                      self->read_body();
                    });
}

void HttpConnection::read_body() {
  stream_.expires_after(context_.limits.body_time);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Error error, size_t) { self->on_body(error); });
}

void HttpConnection::on_body(Error error) {
  if (error) return on_read_error(error);
  dispatch();
}

void HttpConnection::on_read_error(Error error) {
  const HttpLimits& limits = context_.limits;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return answer(context_.handler.refuse(431, "The request's headers are longer than " +
                                                   std::to_string(limits.header_bytes / 1024) +
                                                   " KiB."));
  }
  if (error == http::error::body_limit) {
    return answer(context_.handler.refuse(
        413,
        "The request's body is longer than " + std::to_string(limits.body_bytes / 1024) + " KiB."));
  }
  const bool parsing = error.category() == Error(http::error::bad_value).category();
  if (!parsing || error == http::error::end_of_stream || error == http::error::partial_message) {
    return close();
  }
  answer(context_.handler.refuse(400, "This is no HTTP/1.1 request: " + error.message() + "."));
}

void HttpConnection::dispatch() {
  phase_ = Phase::kAnswering;
  stream_.expires_never();
  Request request{head_, std::move(parser_->get().body())};
  if (!blocking_) return answer(context_.handler.handle(request));
  // The share of the connection travels with the work and comes back with the answer, so that the
  // last one is given up on the network thread.
  asio::post(context_.workers, [self = shared_from_this(), executor = stream_.get_executor(),
                                request = std::move(request)]() mutable {
    Response response = self->context_.handler.handle(request);
    asio::post(executor, [self = std::move(self), response = std::move(response)]() mutable {
      self->answer(std::move(response));
    });
  });
}

// ---- an answer ----

void HttpConnection::answer(Response response) {
  phase_ = Phase::kAnswering;
  if (response.events && context_.streams >= context_.limits.streams) {
    response = context_.handler.refuse(
        503, "This daemon serves at most " + std::to_string(context_.limits.streams) +
                 " event streams at a time. Close one, or poll the run instead.");
  }
  add_security_headers(response);
  const bool head = head_.method == "HEAD";
  if (response.events && !head) return start_stream(std::move(response));

  const unsigned version = parser_->is_header_done() ? parser_->get().version() : 11;
  const int status = response.status;
  const bool keep_alive = parser_->is_done() && parser_->get().keep_alive() && !context_.stopping;
  stream_.expires_after(context_.limits.write_time);
  const auto on_written = [self = shared_from_this(), status, keep_alive](Error error, size_t) {
    self->on_answered(error, status, keep_alive);
  };
  if (head || status == 204) {
    auto message = message_for<http::empty_body>(response, version, keep_alive);
    if (head && !response.events) message.content_length(response.body.size());
    beast::async_write(stream_, http::message_generator(std::move(message)), on_written);
  } else {
    auto message = message_for<http::string_body>(response, version, keep_alive);
    message.body() = std::move(response.body);
    message.prepare_payload();
    beast::async_write(stream_, http::message_generator(std::move(message)), on_written);
  }
}

void HttpConnection::on_answered(Error error, int status, bool keep_alive) {
  context_.handler.answered(route_, status, std::chrono::steady_clock::now() - began_);
  if (error) return close();
  if (keep_alive && !context_.stopping) return read_request();
  linger();
}

void HttpConnection::linger() {
  phase_ = Phase::kClosing;
  Error ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLingerTime);
  discard_input(0);
}

void HttpConnection::discard_input(size_t discarded) {
  // Closing with input unread would reset the connection, and the client might lose the answer.
  stream_.async_read_some(asio::buffer(scratch_),
                          [self = shared_from_this(), discarded](Error error, size_t bytes) {
                            if (error || discarded + bytes > kLingerBytes) return self->close();
                            self->discard_input(discarded + bytes);
                          });
}

void HttpConnection::close() {
  phase_ = Phase::kClosing;
  heartbeat_.cancel();
  Error ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
}

// ---- a stream of events ----

void HttpConnection::start_stream(Response response) {
  phase_ = Phase::kStreaming;
  log_ = std::move(response.events);
  ++context_.streams;
  cursor_ = response.events_after;
  chunked_ = parser_->get().version() >= 11;
  Error ignored;
  stream_.socket().set_option(
      asio::socket_base::send_buffer_size(context_.limits.stream_send_buffer_bytes), ignored);
  context_.handler.answered(route_, response.status, std::chrono::steady_clock::now() - began_);

  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (chunked_) head += "Transfer-Encoding: chunked\r\n";
  piece_ = head + "Connection: close\r\n\r\n";
  writing_ = true;
  stream_.expires_never();
  watch_for_hang_up();
  stream_.expires_after(context_.limits.write_time);
  asio::async_write(stream_, asio::buffer(piece_),
                    [self = shared_from_this()](Error error, size_t) {
                      if (error) return self->close();
                      self->writing_ = false;
                      self->listen_to_log();
                      self->pump();
                    });
}

void HttpConnection::listen_to_log() {
  listening_ = log_->listen([weak = weak_from_this(), executor = stream_.get_executor()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->pump();
    });
  });
}

void HttpConnection::watch_for_hang_up() {
  stream_.async_read_some(asio::buffer(scratch_), [self = shared_from_this()](Error error, size_t) {
    if (self->phase_ == Phase::kClosing) return;
    if (error) return self->close();
    self->watch_for_hang_up();
  });
}

void HttpConnection::pump() {
  if (writing_ || phase_ != Phase::kStreaming || !log_) return;
  if (context_.stopping) return end_stream();
  EventLog::Batch batch = log_->after(cursor_);
  // Whoever falls out of the buffer while connected cannot keep up; it may resume.
  if (batch.lost > 0 && caught_up_) return close();
  if (batch.lost > 0) {
    batch.text.insert(0, "event: gap\ndata: {\"lost\":" + std::to_string(batch.lost) + "}\n\n");
  }
  caught_up_ = true;
  cursor_ = batch.last;
  if (!batch.text.empty() || batch.ended) return send_piece(std::move(batch.text), batch.ended);
  wait_for_heartbeat();
}

void HttpConnection::send_piece(std::string text, bool last) {
  heartbeat_.cancel();
  piece_.clear();
  if (chunked_) {
    if (!text.empty()) piece_ = chunk(text);
    if (last) piece_ += "0\r\n\r\n";
  } else {
    piece_ = std::move(text);
  }
  writing_ = true;
  last_piece_sent_ = last;
  stream_.expires_after(context_.limits.write_time);
  asio::async_write(stream_, asio::buffer(piece_),
                    [self = shared_from_this()](Error error, size_t) {
                      self->writing_ = false;
                      if (error || self->last_piece_sent_) return self->close();
                      self->pump();
                    });
}

void HttpConnection::wait_for_heartbeat() {
  heartbeat_.expires_after(context_.limits.heartbeat_time);
  heartbeat_.async_wait([self = shared_from_this()](Error error) {
    if (error || self->writing_ || self->phase_ != Phase::kStreaming) return;
    self->send_piece(": still here\n\n", false);
  });
}

void HttpConnection::end_stream() {
  if (writing_ || last_piece_sent_) return;  // the piece under way calls pump(), which comes here
  const EventLog::Batch batch = log_->after(cursor_);
  cursor_ = batch.last;
  send_piece(batch.ended ? batch.text : batch.text + "event: closing\ndata: {}\n\n", true);
}

}  // namespace plumb::serve
