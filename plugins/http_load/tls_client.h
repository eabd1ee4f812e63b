// TLS as a client, non-blocking, on sockets that others own: OpenSSL with the system's
// certificates, the peer's name checked, one version of HTTP offered.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TLS_CLIENT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TLS_CLIENT_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <plumb/status.hpp>
#include <span>
#include <string>
#include <string_view>

namespace plumb::http_load {

// What a step of a non-blocking exchange came to.
enum class IoStep : uint8_t { kDone, kWantsRead, kWantsWrite, kClosed, kFailed };

// One connection's TLS. Not thread-safe.
class TlsStream {
 public:
  IoStep handshake();
  // `count` is how many bytes were moved; above zero exactly when kDone.
  IoStep read(std::span<char> into, size_t& count);
  IoStep write(std::string_view bytes, size_t& count);
  // Why the last step failed, such as "self-signed certificate". errno is of that step.
  std::string problem() const;
  // What the peer chose of the versions offered, such as "h2"; empty when it did not choose.
  std::string_view version() const;

 private:
  friend class TlsClient;
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  explicit TlsStream(SSL* ssl) : ssl_(ssl) {}
  IoStep step_of(int result);

  std::unique_ptr<SSL, Free> ssl_;
  unsigned long error_ = 0;
};

class TlsClient {
 public:
  // `host` is checked against the peer's certificate and sent as server name when it is a name.
  // `version` is what ALPN offers: "http/1.1" or "h2".
  static Result<std::unique_ptr<TlsClient>> open(const std::string& host, std::string_view version);
  // Over a connected socket, which outlives the stream; null when memory ran out.
  std::unique_ptr<TlsStream> connect(int fd) const;

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  TlsClient() = default;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::string host_;
  bool host_is_address_ = false;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TLS_CLIENT_H_
