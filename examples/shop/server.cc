#include "server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "errors.h"

namespace shop {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t kMaxConnections = 512;
constexpr std::uint64_t kMaxBodyBytes = 64 * 1024;
constexpr int kIdleLimitMs = 120'000;
constexpr int kShortBacklog = 4;

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    query[percent_decode(pair.substr(0, equals))] = percent_decode(value);
  }
  return query;
}

Request to_request(http::request<http::string_body>& message) {
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = std::min(target.find('?'), target.size());
  Request request;
  request.method = std::string(message.method_string());
  request.path = std::string(target.substr(0, mark));
  request.query = parse_query(target.substr(std::min(mark + 1, target.size())));
  request.body = std::move(message.body());
  return request;
}

bool wait_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, kIdleLimitMs) > 0;
}

// False when the connection is broken.
bool send(tcp::socket& socket, Response answer, unsigned version, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(answer.status), version);
  message.set(http::field::content_type, "application/json");
  message.body() = std::move(answer.body);
  message.keep_alive(keep_alive);
  message.prepare_payload();
  error_code error;
  http::write(socket, message, error);
  return !error;
}

Response to_unreadable(const error_code& error) {
  if (error == http::error::body_limit) return {413, R"({"error":"the body is too large"})"};
  return {400, R"({"error":"this is not HTTP"})"};
}

}  // namespace

Server::Server(std::uint16_t port) : acceptor_(io_) {
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
  } catch (const boost::system::system_error& error) {
    throw Unavailable("cannot listen on 127.0.0.1:" + std::to_string(port) + ": " +
                      error.code().message());
  }
}

Server::~Server() {
  if (accepting_.joinable()) accepting_.join();
}

std::uint16_t Server::port() const { return acceptor_.local_endpoint().port(); }

void Server::start(Handler handler) {
  handler_ = std::move(handler);
  acceptor_.listen(accept_delay_.count() > 0 ? kShortBacklog : tcp::socket::max_listen_connections);
  accepting_ = std::thread([this] { accept_loop(); });
}

bool Server::stop(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  for (const int descriptor : open_connections_) ::shutdown(descriptor, SHUT_RD);
  return changed_.wait_for(lock, grace, [this] { return open_connections_.empty(); });
}

void Server::accept_loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock,
                    [this] { return stopping_ || open_connections_.size() < kMaxConnections; });
      if (stopping_) return;
    }
    std::this_thread::sleep_for(accept_delay_);
    error_code error;
    auto socket = std::make_unique<tcp::socket>(acceptor_.accept(error));
    if (error) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (error) continue;

    open_connections_.insert(socket->native_handle());
    std::thread([this, socket = std::move(socket)]() mutable {
      serve(*socket);
      std::lock_guard guard(mutex_);  // nothing of this Server is touched after it
      open_connections_.erase(socket->native_handle());
      socket.reset();
      changed_.notify_all();
    }).detach();
  }
}

void Server::serve(tcp::socket& socket) const {
  error_code error;
  socket.set_option(tcp::no_delay(true), error);
  boost::beast::flat_buffer buffer;
  for (;;) {
    if (buffer.size() == 0 && !wait_readable(socket.native_handle())) return;
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxBodyBytes);
    http::read(socket, buffer, parser, error);
    if (error == http::error::end_of_stream || error == http::error::partial_message) return;
    if (error) {
      const bool malformed =
          error.category() == http::make_error_code(http::error::bad_method).category();
      if (malformed) send(socket, to_unreadable(error), 11, false);
      return;
    }

    http::request<http::string_body> message = parser.release();
    const bool keep_alive = keep_alive_ && message.keep_alive();
    const unsigned version = message.version();
    const bool head = message.method() == http::verb::head;
    Response answer = handler_(to_request(message));
    if (head) answer.body.clear();
    if (!send(socket, std::move(answer), version, keep_alive) || !keep_alive) return;
  }
}

}  // namespace shop
