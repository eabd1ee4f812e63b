// TCP sockets of this network namespace as the kernel reports them over netlink, without the cost
// of formatting /proc/net/tcp. Needs no privilege. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROC_SOCK_DIAG_H_
#define PLUMB_PLUGINS_PROC_SOCK_DIAG_H_

#include <plumb/status.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace plumb::proc {

// From tcp_info. Ages are as the kernel stamps them: in steps of a jiffy (4 ms at 250 Hz).
struct TcpInfo {
  uint32_t last_data_sent_ms = 0;  // since data was last sent (since the connect, before any)
  uint32_t last_data_received_ms = 0;
  uint32_t last_ack_received_ms = 0;
  uint32_t unacked = 0;            // segments sent and not acknowledged
  uint32_t segments_out = 0;       // with and without data; wraps
  uint32_t segments_in = 0;        // likewise
  uint32_t data_segments_out = 0;  // wraps
  uint32_t data_segments_in = 0;   // wraps
  uint64_t bytes_sent = 0;         // payload, retransmissions included
  uint64_t bytes_received = 0;
};

struct TcpSocket {
  uint8_t family = 0;  // AF_INET or AF_INET6
  uint8_t state = 0;
  uint16_t local_port = 0;
  uint16_t peer_port = 0;
  std::array<uint8_t, 16> peer{};  // the first 4 for AF_INET
  uint64_t inode = 0;
  // Of a connection: bytes received and not read yet, bytes sent and not acknowledged. Of a
  // listener: connections that wait to be accepted, and how many may.
  uint32_t receive_queue = 0;
  uint32_t send_queue = 0;
  bool has_info = false;
  TcpInfo info;
  std::array<uint8_t, 48> identity{};  // for refresh()
};

// "127.0.0.1:5432", "[::1]:5432"; an IPv4 address inside IPv6 is written as IPv4.
std::string peer_label(const TcpSocket& socket);

class SockDiag {
 public:
  // Bits by the kernel's numbers of the states (TCP_ESTABLISHED is 1, TCP_LISTEN 10).
  enum States : uint32_t {
    kEstablished = 1u << 1,
    kHalfClosed = 1u << 4 | 1u << 5,  // by us: TCP_FIN_WAIT1, TCP_FIN_WAIT2
    kListening = 1u << 10,
    kAnyButListening = 0xfffu & ~kListening
  };

  // UNSUPPORTED or PERMISSION_DENIED when the kernel refuses.
  static Result<SockDiag> open();
  ~SockDiag();
  SockDiag(SockDiag&& other) noexcept;
  SockDiag& operator=(SockDiag&& other) noexcept;

  // Appends the sockets, v4 and v6, in one of `states`, those on the first 16 of
  // `except_local_ports` left out by the kernel. `with_info` fills TcpSocket::info.
  Status dump(uint32_t states, bool with_info, std::span<const uint16_t> except_local_ports,
              std::vector<TcpSocket>& out);

  // Reads the same sockets again, listeners too, one lookup each: cheaper than a dump, which walks
  // the machine's whole table, while there are not many. Appends to `out` those that still exist.
  Status refresh(std::span<const TcpSocket> sockets, std::vector<TcpSocket>& out);

 private:
  explicit SockDiag(int descriptor);
  Status send(const void* data, size_t bytes);
  Status receive_dump(bool with_info, std::vector<TcpSocket>& out);
  // Takes replies until `answers` have come.
  Status receive(size_t answers, std::vector<TcpSocket>& out);
  int descriptor_ = -1;
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
  std::vector<char> request_;
};

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_SOCK_DIAG_H_
