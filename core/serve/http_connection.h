// One client's connection. The only header that brings in Boost.Beast: for http_server.cc and
// http_connection.cc alone.
#ifndef PLUMB_CORE_SERVE_HTTP_CONNECTION_H_
#define PLUMB_CORE_SERVE_HTTP_CONNECTION_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/serve/http_server.h"

namespace plumb::serve {

class HttpConnection;

// What the connections of one server share. Used on the network thread only.
struct ConnectionContext {
  const HttpLimits& limits;
  HttpHandler& handler;
  boost::asio::thread_pool& workers;
  std::set<HttpConnection*> open = {};
  size_t turned_away = 0;  // of those open
  size_t streams = 0;
  bool stopping = false;
  std::function<void()> on_close = {};  // after a connection has gone
};

// Lives as long as something is under way on it: every pending operation holds a share of it.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, ConnectionContext& context);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void start();
  // Answers 503 without reading anything, and closes.
  void turn_away();
  // The server stops: ends now when nothing was asked, after the answer otherwise.
  void wind_down();
  // The server has stopped; nothing is called any more.
  void abandon();

 private:
  using Error = boost::beast::error_code;
  enum class Phase { kWaiting, kReading, kAnswering, kStreaming, kClosing };

  void read_request();
  void read_header();
  void on_header(Error error);
  void send_continue();
  void read_body();
  void on_body(Error error);
  // Answers what the parser refused; closes on what the network did.
  void on_read_error(Error error);
  void dispatch();

  void answer(Response response);
  void on_answered(Error error, int status, bool keep_alive);
  // Lets the client read the answer although it may still be sending, then closes.
  void linger();
  void discard_input(size_t discarded);
  void close();

  void start_stream(Response response);
  void listen_to_log();
  void watch_for_hang_up();
  void pump();
  void send_piece(std::string text, bool last);
  void wait_for_heartbeat();
  void end_stream();

  ConnectionContext& context_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  Phase phase_ = Phase::kWaiting;
  RequestHead head_;
  std::string route_;
  bool blocking_ = true;
  bool turned_away_ = false;
  std::chrono::steady_clock::time_point began_;
  std::array<char, 4096> scratch_;

  // While streaming.
  std::shared_ptr<EventLog> log_;
  uint64_t listening_ = 0;  // handle of the log
  uint64_t cursor_ = 0;     // the last event sent
  bool caught_up_ = false;
  bool chunked_ = true;
  bool writing_ = false;
  bool last_piece_sent_ = false;
  std::string piece_;
  boost::asio::steady_timer heartbeat_;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_HTTP_CONNECTION_H_
