#include "core/serve/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "core/serve/http_connection.h"

namespace plumb::serve {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Error = boost::system::error_code;

// Beyond its connections the server answers this many with 503; what is beyond that is closed.
constexpr size_t kMostTurnedAway = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpLimits& limits, HttpHandler& handler)
      : limits_(limits), workers_(limits.workers), context_{limits_, handler, workers_} {}

  ~Impl() {
    workers_.join();
    context_.on_close = nullptr;
    for (HttpConnection* connection : context_.open) connection->abandon();
  }

  Status bind(const ListenAddress& address) {
    Error error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (error || !ip.is_loopback()) {
      return Status::invalid_argument("'" + address.host + "' is no loopback address");
    }
    const tcp::endpoint endpoint(ip, address.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Status::unavailable("cannot listen on " + address.host + " port " +
                                 std::to_string(address.port) + ": " + error.message() +
                                 "; is another plumbd running? Try --listen 127.0.0.1:0");
    }
    port_ = acceptor_.local_endpoint(error).port();
    return Status::ok();
  }

  uint16_t port() const { return port_; }

  void run() {
    accept();
    io_.run();
    workers_.join();
  }

  void stop_accepting() {
    asio::post(io_, [this] { close_acceptor(); });
  }

  void stop(std::chrono::milliseconds grace) {
    asio::post(io_, [this, grace] {
      close_acceptor();
      context_.stopping = true;
      context_.on_close = [this] {
        if (context_.open.empty()) patience_.cancel();
      };
      patience_.expires_after(grace);
      patience_.async_wait([this](Error error) {
        if (!error) io_.stop();
      });
      busy_.reset();
      const auto connections = context_.open;
      for (HttpConnection* connection : connections) connection->wind_down();
      if (context_.open.empty()) patience_.cancel();
    });
  }

 private:
  void accept() {
    acceptor_.async_accept([this](Error error, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) return pause_accepting();
      admit(std::move(socket));
      accept();
    });
  }

  // Out of descriptors, most likely: asking again at once would only spin.
  void pause_accepting() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](Error error) {
      if (!error && acceptor_.is_open()) accept();
    });
  }

  void admit(tcp::socket socket) {
    const size_t served = context_.open.size() - context_.turned_away;
    const bool full = served >= limits_.connections;
    if (full && context_.turned_away >= kMostTurnedAway) return;
    auto connection = std::make_shared<HttpConnection>(std::move(socket), context_);
    if (full) return connection->turn_away();
    connection->start();
  }

  void close_acceptor() {
    Error ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

  const HttpLimits limits_;
  asio::thread_pool workers_;
  // Before io_, since the connections that io_ still holds when it goes refer to it.
  ConnectionContext context_;
  asio::io_context io_{1};
  // Keeps run() going while nobody is connected and nothing is accepted.
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  asio::steady_timer patience_{io_};
  uint16_t port_ = 0;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ListenAddress& address,
                                                       const HttpLimits& limits,
                                                       HttpHandler& handler) {
  auto impl = std::make_unique<Impl>(limits, handler);
  PLUMB_RETURN_IF_ERROR(impl->bind(address));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const { return impl_->port(); }
void HttpServer::run() { impl_->run(); }
void HttpServer::stop_accepting() { impl_->stop_accepting(); }
void HttpServer::stop(std::chrono::milliseconds grace) { impl_->stop(grace); }

}  // namespace plumb::serve
