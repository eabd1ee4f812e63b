// A small HTTP/2 server on a free loopback port, for tests: a thread per connection, nghttp2's
// server side, and an answer that the test makes, well-behaved or not.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SERVER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SERVER_H_

#include <nghttp2/nghttp2.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugins/http_load/tls_server.h"

namespace plumb::http_load {

struct Http2Seen {
  std::map<std::string, std::string> headers;  // pseudo-header fields among them
  std::string body;
  uint64_t connection = 0;  // counted from 1
};

struct Http2Reply {
  enum class Then {
    kEnd,           // of the answer
    kStall,         // and nothing more
    kResetStream,   // with `code`
    kGoAway,        // with `code`; this stream was not processed
    kEndAndGoAway,  // all that came until now will be answered
    kClose,         // the connection
    kCut,           // the connection, with a TCP reset
  };
  int status = 200;  // 0: no answer, straight to what is then
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  Then then = Then::kEnd;
  uint32_t code = NGHTTP2_NO_ERROR;
};

// Listens from construction to destruction.
class Http2Server {
 public:
  // Called with each whole request, on the thread of its connection.
  using Handler = std::function<Http2Reply(const Http2Seen&)>;
  struct Options {
    bool tls = false;
    uint32_t most_streams = 1'000;
  };

  explicit Http2Server(Handler handler) : Http2Server(std::move(handler), Options()) {}
  Http2Server(Handler handler, Options options);
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  std::string url() const;
  const SSL_CTX* context() const { return context_.get(); }
  uint64_t connections() const { return connections_; }
  // The most that were open at a time on one connection.
  size_t most_open() const { return most_open_; }
  // Whole requests, in the order of their arrival on each connection.
  std::vector<Http2Seen> seen() const;

 private:
  class Peer;
  void accept_all();

  const Handler handler_;
  const Options options_;
  TlsContext context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<uint64_t> connections_{0};
  std::atomic<size_t> most_open_{0};
  mutable std::mutex mutex_;
  std::vector<Http2Seen> seen_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP2_SERVER_H_
