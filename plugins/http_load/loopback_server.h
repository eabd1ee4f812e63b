// A small HTTP server on a free loopback port, for tests: one thread, keep-alive, and an answer
// that the test makes.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LOOPBACK_SERVER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LOOPBACK_SERVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace plumb::http_load {

struct Reply {
  std::string bytes;  // as sent, head and body; empty: never answers
  enum After { kKeep, kClose, kReset } after = kKeep;
};

// "HTTP/1.1 200 OK" with this body and these header lines, each ended by "\r\n".
std::string ok_with(const std::string& body, const std::string& headers = {});

// Listens from construction to destruction.
class LoopbackServer {
 public:
  // Called on the server's thread with each whole request.
  using Handler = std::function<Reply(const std::string& request)>;
  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url() const;
  // What was received, in order. Only after the load has ended: stops the server.
  const std::vector<std::string>& requests();
  uint64_t connections();

 private:
  struct Peer {
    int fd;
    std::string input;
  };
  void serve();
  void stop();
  bool on_input(Peer& peer);  // false: close it

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  int stop_[2] = {-1, -1};
  std::vector<Peer> peers_;
  std::vector<std::string> requests_;
  uint64_t connections_ = 0;
  std::thread thread_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LOOPBACK_SERVER_H_
