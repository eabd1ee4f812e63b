#include "plugins/http_load/tls_server.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace plumb::http_load {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate certificate_for(EVP_PKEY* key) {
  Certificate out(X509_new(), &X509_free);
  X509* x = out.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3'600);
  X509_set_pubkey(x, key);
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("loopback"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
  if (X509_sign(x, key, EVP_sha256()) == 0) throw std::runtime_error("X509_sign failed");
  return out;
}

}  // namespace

TlsContext self_signed_context() {
  TlsContext out(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate = certificate_for(key.get());
  SSL_CTX_use_certificate(out.get(), certificate.get());
  SSL_CTX_use_PrivateKey(out.get(), key.get());
  return out;
}

TlsServer::TlsServer() : context_(self_signed_context()) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 64) != 0)
    throw std::runtime_error("no port to listen on");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TlsServer::~TlsServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (const int peer : peers_) shutdown(peer, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int peer : peers_) close(peer);
  close(listener_);
}

void TlsServer::accept_all() {
  for (int fd = accept(listener_, nullptr, nullptr); fd >= 0;
       fd = accept(listener_, nullptr, nullptr)) {
    ++connections_;
    peers_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TlsServer::serve(int fd) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), &SSL_free);
  SSL_set_fd(ssl.get(), fd);
  if (SSL_accept(ssl.get()) != 1) {
    shutdown(fd, SHUT_RDWR);
    return;
  }
  std::string input;
  char buffer[4'096];
  for (int n = SSL_read(ssl.get(), buffer, sizeof(buffer)); n > 0;
       n = SSL_read(ssl.get(), buffer, sizeof(buffer))) {
    input.append(buffer, static_cast<size_t>(n));
    if (!input.ends_with("\r\n\r\n")) continue;
    input.clear();
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    SSL_write(ssl.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
  }
}

TrustThisCertificate::TrustThisCertificate(const SSL_CTX* context)
    : file_(std::filesystem::temp_directory_path() /
            ("plumb-tls-" + std::to_string(getpid()) + ".pem")) {
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file_.c_str(), "w"),
                                                              &std::fclose);
    if (!out || PEM_write_X509(out.get(), SSL_CTX_get0_certificate(context)) != 1)
      throw std::runtime_error("the certificate could not be written");
  }
  setenv("SSL_CERT_FILE", file_.c_str(), 1);
}

TrustThisCertificate::~TrustThisCertificate() {
  unsetenv("SSL_CERT_FILE");
  std::filesystem::remove(file_);
}

}  // namespace plumb::http_load
