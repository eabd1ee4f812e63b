// Where TCP sockets come from: the kernel's sock_diag, or a test.
#ifndef PLUMB_PLUGINS_HOST_METRICS_SOCKET_SOURCE_H_
#define PLUMB_PLUGINS_HOST_METRICS_SOCKET_SOURCE_H_

#include <plumb/status.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plugins/proc/sock_diag.h"

namespace plumb::host_metrics {

class SocketSource {
 public:
  virtual ~SocketSource() = default;
  // Each appends to `out`.
  // Sockets that are established, or half closed by their holder, with tcp_info; those on
  // `except_local_ports` left out.
  virtual Status open(std::span<const uint16_t> except_local_ports,
                      std::vector<proc::TcpSocket>& out) = 0;
  virtual Status listening(std::vector<proc::TcpSocket>& out) = 0;
  // In any state but listening, without tcp_info.
  virtual Status connections(std::vector<proc::TcpSocket>& out) = 0;
  // Those of `sockets` that still exist, read again.
  virtual Status again(std::span<const proc::TcpSocket> sockets,
                       std::vector<proc::TcpSocket>& out) = 0;
};

// The kernel's, opened at the first call.
std::unique_ptr<SocketSource> make_kernel_sockets();

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_SOCKET_SOURCE_H_
