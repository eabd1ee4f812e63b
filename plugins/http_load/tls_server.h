// A TLS server on a free loopback port with a certificate of its own making, for tests: a thread
// per connection, and one fixed answer to every request.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TLS_SERVER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TLS_SERVER_H_

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace plumb::http_load {

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// For a server on 127.0.0.1, with a new certificate that nobody has signed.
TlsContext self_signed_context();

// Listens from construction to destruction.
class TlsServer {
 public:
  TlsServer();
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  uint64_t connections() const { return connections_; }
  const SSL_CTX* context() const { return context_.get(); }

 private:
  void accept_all();
  void serve(int fd);

  TlsContext context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<uint64_t> connections_{0};
  std::vector<std::thread> threads_;
  std::vector<int> peers_;
  std::thread acceptor_;
};

// While it lives, OpenSSL's default is to trust this certificate alone.
class TrustThisCertificate {
 public:
  explicit TrustThisCertificate(const SSL_CTX* context);
  ~TrustThisCertificate();
  TrustThisCertificate(const TrustThisCertificate&) = delete;
  TrustThisCertificate& operator=(const TrustThisCertificate&) = delete;

 private:
  std::filesystem::path file_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TLS_SERVER_H_
