// A blocking HTTP client that sends whatever a test wants, well-formed or not.
#ifndef PLUMB_CORE_SERVE_CLIENT_FOR_TESTS_H_
#define PLUMB_CORE_SERVE_CLIENT_FOR_TESTS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/unique_fd.h"

namespace plumb::serve {

struct Reply {
  int status = 0;                              // 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One connection to 127.0.0.1. Nothing waits longer than 20 s.
class TestClient {
 public:
  // `receive_buffer_bytes` as for SO_RCVBUF; 0: the system's own.
  explicit TestClient(uint16_t port, int receive_buffer_bytes = 0);

  // False once the other side has gone.
  bool send(std::string_view bytes);
  // An answer, chunked ones put together; of HEAD without the body that its length promises.
  Reply read_reply(bool head = false);
  // The headers alone; what follows is left for the functions below.
  Reply read_head();
  // What comes until `text` has come, that included; what came, when the connection ends first.
  std::string read_until(std::string_view text);
  // Whether something came, or the connection ended, in that time.
  bool readable_within(std::chrono::milliseconds time) const;
  // Whether the other side ends the connection, reading whatever still comes.
  bool ends();

 private:
  bool receive();
  std::string read_bytes(size_t count);
  std::string read_chunks();

  UniqueFd fd_;
  std::string pending_;
};

// The text of a request, with Host and Content-Length. `headers` are lines with \r\n.
std::string request_text(uint16_t port, std::string_view method, std::string_view target,
                         std::string_view headers = {}, std::string_view body = {});
// One request on a connection of its own.
Reply ask(uint16_t port, std::string_view method, std::string_view target,
          std::string_view headers = {}, std::string_view body = {});

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_CLIENT_FOR_TESTS_H_
