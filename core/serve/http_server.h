// An HTTP/1.1 server for one machine: keep-alive, bounded bodies, headers, connections and waiting
// times, and event streams. All that the requests mean is in the handler.
#ifndef PLUMB_CORE_SERVE_HTTP_SERVER_H_
#define PLUMB_CORE_SERVE_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

#include "core/serve/http_message.h"

namespace plumb::serve {

struct HttpLimits {
  std::chrono::milliseconds header_time{10'000};  // from a request's first byte to its headers' end
  std::chrono::milliseconds body_time{10'000};
  std::chrono::milliseconds idle_time{60'000};       // between two requests
  std::chrono::milliseconds write_time{10'000};      // for a response, or a piece of a stream
  std::chrono::milliseconds heartbeat_time{15'000};  // of a silent stream
  uint32_t header_bytes = 16 * 1024;
  uint64_t body_bytes = 1024 * 1024;
  size_t connections = 256;
  size_t streams = 64;
  int stream_send_buffer_bytes = 64 * 1024;
  unsigned workers = 2;  // threads for requests that block
};

// What is decided once the headers are there.
struct Admission {
  std::optional<Response> refusal;  // the body is not read, the answer is this
  std::string route = {};           // given back to answered()
  bool blocking = true;             // handle() is to be called on a worker
};

// Called on several threads at once; outlives the server.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // On the network thread: must not block.
  virtual Admission admit(const RequestHead& head) = 0;
  // On a worker, or on the network thread when the admission said that it does not block.
  virtual Response handle(const Request& request) = 0;
  // The answer to what did not become a request (400, 413, 431), or finds no room (503).
  virtual Response refuse(int status, const std::string& detail) = 0;
  // After each answer. `route` is empty for what was refused before admission.
  virtual void answered(const std::string& route, int status, std::chrono::nanoseconds took) = 0;
};

// Where to listen. Loopback only.
struct ListenAddress {
  std::string host;  // "127.0.0.1" or "::1"
  uint16_t port = 0;
};
// Reads HOST:PORT; HOST is an address of 127.0.0.0/8, [::1] or localhost. The status says what is
// wrong in a sentence.
Result<ListenAddress> parse_listen_address(std::string_view text);

class HttpServer {
 public:
  // Binds; connections are accepted from run() on. Port 0: any free one.
  static Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address,
                                                    const HttpLimits& limits, HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // Serves on the calling thread (and the workers) until stop() has taken effect.
  void run();
  // From any thread: no new connections; those that are there go on.
  void stop_accepting();
  // From any thread: requests under way are answered, streams get a last event, and run() returns,
  // after `grace` at the latest for all that does not wait for a worker.
  void stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_HTTP_SERVER_H_
