#include "plugins/proc/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "plugins/proc/sock_diag_reply.h"

namespace plumb::proc {

namespace {

constexpr size_t kBufferBytes = 64 * 1024;
constexpr size_t kMostPorts = 16;
// Replies to one batch must fit the socket's default receive buffer.
constexpr size_t kBatch = 64;

static_assert(sizeof(inet_diag_sockid) <= sizeof(TcpSocket::identity));

Status refused(int error, const char* what) {
  const std::string message = std::string("the kernel refused ") + what + " (" +
                              std::strerror(error) + "): outbound connections cannot be watched";
  if (error == EPERM || error == EACCES) return Status::permission_denied(message);
  if (error == ENOENT || error == EPROTONOSUPPORT || error == EAFNOSUPPORT) {
    return Status::unsupported(message + "; load the kernel module tcp_diag");
  }
  return Status::unavailable(message);
}

// A program for the kernel's socket filter that rejects sockets on any of the local ports. Each
// port takes two comparisons of 8 bytes: at least p, and then at least p + 1.
std::vector<inet_diag_bc_op> reject_ports(std::span<const uint16_t> ports) {
  ports = ports.first(std::min(ports.size(), kMostPorts));
  std::vector<inet_diag_bc_op> program;
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i] == UINT16_MAX) continue;
    program.push_back({INET_DIAG_BC_S_GE, 8, 16});
    program.push_back({0, 0, ports[i]});
    program.push_back({INET_DIAG_BC_S_GE, 8, 0});  // the jump past the end is filled in below
    program.push_back({0, 0, static_cast<uint16_t>(ports[i] + 1)});
  }
  for (size_t i = 2; i < program.size(); i += 4) {
    program[i].no = static_cast<uint16_t>((program.size() - i) * sizeof(inet_diag_bc_op) + 4);
  }
  return program;
}

}  // namespace

std::string peer_label(const TcpSocket& socket) {
  char text[INET6_ADDRSTRLEN] = "?";
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool mapped =
      socket.family == AF_INET6 && std::memcmp(socket.peer.data(), kMapped, sizeof(kMapped)) == 0;
  const std::string port = ":" + std::to_string(socket.peer_port);
  if (socket.family == AF_INET || mapped) {
    ::inet_ntop(AF_INET, socket.peer.data() + (mapped ? 12 : 0), text, sizeof(text));
    return text + port;
  }
  ::inet_ntop(AF_INET6, socket.peer.data(), text, sizeof(text));
  return "[" + std::string(text) + "]" + port;
}

Result<SockDiag> SockDiag::open() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (descriptor < 0) return refused(errno, "a sock_diag socket");
  SockDiag out(descriptor);
  const timeval timeout{2, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  return out;
}

SockDiag::SockDiag(int descriptor) : descriptor_(descriptor), buffer_(kBufferBytes) {}

SockDiag::~SockDiag() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

SockDiag::SockDiag(SockDiag&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      sequence_(other.sequence_),
      buffer_(std::move(other.buffer_)),
      request_(std::move(other.request_)) {}

SockDiag& SockDiag::operator=(SockDiag&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(sequence_, other.sequence_);
  std::swap(buffer_, other.buffer_);
  std::swap(request_, other.request_);
  return *this;
}

Status SockDiag::send(const void* data, size_t bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t n =
      ::sendto(descriptor_, data, bytes, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel));
  return n < 0 ? refused(errno, "a sock_diag request") : Status::ok();
}

Status SockDiag::dump(uint32_t states, bool with_info, std::span<const uint16_t> except_local_ports,
                      std::vector<TcpSocket>& out) {
  const auto program = reject_ports(except_local_ports);
  const size_t program_bytes = program.size() * sizeof(inet_diag_bc_op);
  struct {
    nlmsghdr header;
    inet_diag_req body;
  } request{};
  request.header.nlmsg_len =
      static_cast<uint32_t>(sizeof(request) + (program.empty() ? 0 : RTA_LENGTH(program_bytes)));
  // The older request type, because it covers IPv4 and IPv6 in one walk of the kernel's table.
  request.header.nlmsg_type = TCPDIAG_GETSOCK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  request.body.idiag_ext = with_info ? 1u << (INET_DIAG_INFO - 1) : 0;
  request.body.idiag_states = states;
  request_.resize(request.header.nlmsg_len);
  std::memcpy(request_.data(), &request, sizeof(request));
  if (!program.empty()) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(program_bytes)),
                           INET_DIAG_REQ_BYTECODE};
    std::memcpy(request_.data() + sizeof(request), &attribute, sizeof(attribute));
    std::memcpy(request_.data() + sizeof(request) + RTA_LENGTH(0), program.data(), program_bytes);
  }
  PLUMB_RETURN_IF_ERROR(send(request_.data(), request_.size()));
  return receive_dump(with_info, out);
}

Status SockDiag::refresh(std::span<const TcpSocket> sockets, std::vector<TcpSocket>& out) {
  struct Request {
    nlmsghdr header;
    inet_diag_req_v2 body;
  };
  while (!sockets.empty()) {
    const size_t n = std::min(sockets.size(), kBatch);
    request_.resize(n * sizeof(Request));
    ++sequence_;
    for (size_t i = 0; i < n; ++i) {
      Request request{};
      request.header.nlmsg_len = sizeof(request);
      request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
      request.header.nlmsg_flags = NLM_F_REQUEST;
      request.header.nlmsg_seq = sequence_;
      request.body.sdiag_family = sockets[i].family;
      request.body.sdiag_protocol = IPPROTO_TCP;
      request.body.idiag_ext = 1u << (INET_DIAG_INFO - 1);
      request.body.idiag_states = kEstablished;
      std::memcpy(&request.body.id, sockets[i].identity.data(), sizeof(request.body.id));
      std::memcpy(request_.data() + i * sizeof(Request), &request, sizeof(request));
    }
    PLUMB_RETURN_IF_ERROR(send(request_.data(), request_.size()));
    PLUMB_RETURN_IF_ERROR(receive(n, out));
    sockets = sockets.subspan(n);
  }
  return Status::ok();
}

Status SockDiag::receive_dump(bool with_info, std::vector<TcpSocket>& out) {
  while (true) {
    const ssize_t n = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      return refused(errno, "an answer from sock_diag");
    }
    const SockDiagReply reply =
        parse_sock_diag({buffer_.data(), static_cast<size_t>(n)}, sequence_, with_info, out);
    if (reply.error != 0) return refused(reply.error, "a list of TCP sockets");
    if (reply.done) return Status::ok();
  }
}

Status SockDiag::receive(size_t answers, std::vector<TcpSocket>& out) {
  // The answers lie ready, a datagram each: one call takes many of them.
  constexpr size_t kAtOnce = 32;
  constexpr size_t kPiece = kBufferBytes / kAtOnce;
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> pieces{};
  for (size_t i = 0; i < kAtOnce; ++i) {
    pieces[i] = {buffer_.data() + i * kPiece, kPiece};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (size_t got = 0; got < answers;) {
    const auto want = static_cast<unsigned>(std::min(answers - got, kAtOnce));
    const int n = ::recvmmsg(descriptor_, messages.data(), want, MSG_WAITFORONE, nullptr);
    if (n < 0) {
      if (errno == EINTR) continue;
      return refused(errno, "an answer from sock_diag");
    }
    for (int i = 0; i < n; ++i) {
      // An error tells of a single socket that it is gone.
      const auto& message = messages[static_cast<size_t>(i)];
      const char* bytes = static_cast<const char*>(message.msg_hdr.msg_iov->iov_base);
      if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        ++got;  // too long to be understood, but an answer
        continue;
      }
      got += parse_sock_diag({bytes, message.msg_len}, sequence_, true, out).answers;
    }
  }
  return Status::ok();
}

}  // namespace plumb::proc
