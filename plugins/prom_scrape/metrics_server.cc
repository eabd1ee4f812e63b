#include "plugins/prom_scrape/metrics_server.h"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <sstream>
#include <utility>

namespace plumb::prom_scrape {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

// The bytes of an answer; `ends`: the connection ends with them.
std::string bytes_of(const MetricsServer::Answer& answer, bool& ends) {
  using Answer = MetricsServer::Answer;
  http::response<http::string_body> response;
  response.version(11);
  response.result(static_cast<http::status>(answer.status));
  response.set(http::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.body() = answer.body;
  ends = answer.framing == Answer::kUntilClose || answer.framing == Answer::kCutOff;
  if (answer.framing == Answer::kChunked)
    response.chunked(true);
  else if (answer.framing != Answer::kUntilClose)
    response.content_length(answer.body.size());
  response.keep_alive(!ends);
  std::ostringstream out;
  out << response;
  std::string bytes = out.str();
  if (answer.framing == Answer::kCutOff) bytes.resize(bytes.size() - answer.body.size() / 2);
  return bytes;
}

}  // namespace

class MetricsServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(MetricsServer& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)) {}

  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    std::ostringstream text;
    text << request_.base();
    const Answer answer = server_.next(text.str());
    if (answer.framing == Answer::kNone) return wait_for_end();
    bytes_ = bytes_of(answer, ends_);
    asio::async_write(socket_, asio::buffer(bytes_),
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (!error && !self->ends_) self->read();
                      });
  }

  void wait_for_end() {
    socket_.async_read_some(asio::buffer(byte_),
                            [self = shared_from_this()](beast::error_code, size_t) {});
  }

  MetricsServer& server_;
  tcp::socket socket_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  std::string bytes_;
  std::array<char, 1> byte_{};
  bool ends_ = false;
};

MetricsServer::MetricsServer(uint16_t port)
    : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), port), true) {
  port_ = acceptor_.local_endpoint().port();
  accept();
  thread_ = std::thread([this] { io_.run(); });
}

MetricsServer::~MetricsServer() {
  io_.stop();
  thread_.join();
}

void MetricsServer::accept() {
  acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (error) return;
    ++connections_;
    std::make_shared<Connection>(*this, std::move(socket))->read();
    accept();
  });
}

void MetricsServer::answer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

MetricsServer::Answer MetricsServer::next(std::string request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  return answer_;
}

std::vector<std::string> MetricsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

}  // namespace plumb::prom_scrape
