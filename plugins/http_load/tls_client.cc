#include "plugins/http_load/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

namespace plumb::http_load {
namespace {

bool is_address(const std::string& host) {
  in6_addr out{};
  return inet_pton(AF_INET, host.c_str(), &out) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &out) == 1;
}

std::string openssl_text(unsigned long error) {
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown TLS error";
}

}  // namespace

Result<std::unique_ptr<TlsClient>> TlsClient::open(const std::string& host,
                                                   std::string_view version) {
  std::unique_ptr<TlsClient> out(new TlsClient);
  out->host_ = host;
  out->host_is_address_ = is_address(host);
  out->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = out->context_.get();
  if (context == nullptr) return Status::internal("OpenSSL: " + openssl_text(ERR_get_error()));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Every new connection is to cost what it costs a new user.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_default_verify_paths(context) != 1)
    return Status::internal("OpenSSL finds no certificates to trust: " +
                            openssl_text(ERR_get_error()));
  std::string offer(1, static_cast<char>(version.size()));  // each after its length
  offer += version;
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(offer.data()),
                          static_cast<unsigned>(offer.size()));
  return out;
}

std::unique_ptr<TlsStream> TlsClient::connect(int fd) const {
  std::unique_ptr<TlsStream> out(new TlsStream(SSL_new(context_.get())));
  SSL* ssl = out->ssl_.get();
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) return nullptr;
  SSL_set_connect_state(ssl);
  if (host_is_address_) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host_.c_str());
  } else {
    SSL_set1_host(ssl, host_.c_str());
    SSL_set_tlsext_host_name(ssl, host_.c_str());
  }
  return out;
}

IoStep TlsStream::step_of(int result) {
  if (result > 0) return IoStep::kDone;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return IoStep::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return IoStep::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return IoStep::kClosed;
    default:
      error_ = ERR_get_error();
      // A peer that closes without TLS's own goodbye.
      if (ERR_GET_REASON(error_) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return IoStep::kClosed;
      return IoStep::kFailed;
  }
}

IoStep TlsStream::handshake() {
  ERR_clear_error();
  errno = 0;
  return step_of(SSL_do_handshake(ssl_.get()));
}

IoStep TlsStream::read(std::span<char> into, size_t& count) {
  ERR_clear_error();
  errno = 0;
  return step_of(SSL_read_ex(ssl_.get(), into.data(), into.size(), &count));
}

IoStep TlsStream::write(std::string_view bytes, size_t& count) {
  ERR_clear_error();
  errno = 0;
  return step_of(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count));
}

std::string_view TlsStream::version() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsStream::problem() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  return error_ != 0 ? openssl_text(error_) : std::string(std::strerror(errno));
}

}  // namespace plumb::http_load
