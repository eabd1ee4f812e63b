// One TCP connection to the target, plain or with TLS, non-blocking.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_CLIENT_SOCKET_H_
#define PLUMB_PLUGINS_HTTP_LOAD_CLIENT_SOCKET_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "plugins/http_load/addresses.h"
#include "plugins/http_load/poller.h"
#include "plugins/http_load/tls_client.h"

namespace plumb::http_load {

// Where a step fails, errno says why, or tls()->problem() when errno is 0. Not thread-safe.
class ClientSocket {
 public:
  // Opens a socket of its own. kWantsWrite: under way, and connect_error() says how it went as
  // soon as the socket is writable.
  IoStep connect(const Address& address);
  // 0 when it is connected.
  int connect_error() const;
  // TLS from here on; false when memory ran out.
  bool secure_with(const TlsClient& tls);

  // `count` is how many bytes were moved; above zero exactly when kDone.
  IoStep read(std::span<char> into, size_t& count);
  IoStep write(std::string_view bytes, size_t& count);

  int fd() const { return socket_.get(); }
  bool valid() const { return socket_.valid(); }
  TlsStream* tls() const { return tls_.get(); }  // null over plain TCP
  // Ends it, but for the descriptor, which the caller closes when it likes.
  Descriptor release();

 private:
  Descriptor socket_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_CLIENT_SOCKET_H_
