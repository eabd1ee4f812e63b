#include "plugins/http_load/client_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace plumb::http_load {
namespace {

IoStep step_or_failure(IoStep when_it_would_block) {
  return errno == EAGAIN || errno == EWOULDBLOCK ? when_it_would_block : IoStep::kFailed;
}

}  // namespace

IoStep ClientSocket::connect(const Address& address) {
  socket_ =
      Descriptor(socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) return IoStep::kFailed;
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) ==
      0)
    return IoStep::kDone;
  return errno == EINPROGRESS ? IoStep::kWantsWrite : IoStep::kFailed;
}

int ClientSocket::connect_error() const {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

bool ClientSocket::secure_with(const TlsClient& tls) {
  tls_ = tls.connect(socket_.get());
  return tls_ != nullptr;
}

IoStep ClientSocket::read(std::span<char> into, size_t& count) {
  if (tls_ != nullptr) return tls_->read(into, count);
  const ssize_t n = recv(socket_.get(), into.data(), into.size(), 0);
  if (n < 0) return step_or_failure(IoStep::kWantsRead);
  count = static_cast<size_t>(n);
  return n == 0 ? IoStep::kClosed : IoStep::kDone;
}

IoStep ClientSocket::write(std::string_view bytes, size_t& count) {
  if (tls_ != nullptr) return tls_->write(bytes, count);
  const ssize_t n = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n < 0) return step_or_failure(IoStep::kWantsWrite);
  count = static_cast<size_t>(n);
  return IoStep::kDone;
}

Descriptor ClientSocket::release() {
  tls_.reset();
  return std::exchange(socket_, Descriptor());
}

}  // namespace plumb::http_load
