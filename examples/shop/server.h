#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace shop {

struct Request {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;
  std::string body;
};

struct Response {
  int status = 200;
  std::string body;  // JSON
};

// Answers one request. Called from many threads at once; must not throw.
using Handler = std::function<Response(const Request&)>;

// HTTP/1.1 on 127.0.0.1 with one thread per connection. Connections beyond the limit wait in the
// listen backlog.
class Server {
 public:
  // Takes the port (0: any free one) without listening on it yet. Throws Unavailable.
  explicit Server(std::uint16_t port);
  ~Server();  // stop() must have returned true, or start() never been called
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // How it deals with connections; both before start().
  void close_after_each_answer() { keep_alive_ = false; }
  void accept_slowly(std::chrono::milliseconds each) { accept_delay_ = each; }

  std::uint16_t port() const;
  void start(Handler handler);

  // Ends every connection. False when some request was still being answered after `grace`; the
  // handler and what it uses must then stay alive.
  [[nodiscard]] bool stop(std::chrono::milliseconds grace);

 private:
  void accept_loop();
  void serve(boost::asio::ip::tcp::socket& socket) const;

  Handler handler_;
  bool keep_alive_ = true;
  std::chrono::milliseconds accept_delay_{0};
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread accepting_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;           // guarded by mutex_
  std::set<int> open_connections_;  // descriptors, guarded by mutex_
};

}  // namespace shop
