// Reads the machine's network counters and hands them to an outlet: interfaces, TCP, and, at a pace
// set by what it costs, how many sockets are in which state. Of this network namespace. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_NETWORK_SAMPLER_H_
#define PLUMB_PLUGINS_HOST_METRICS_NETWORK_SAMPLER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "plugins/host_metrics/bounded_names.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/pace.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/host_metrics/socket_source.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class NetworkSampler {
 public:
  NetworkSampler(const proc::Root& root, SocketSource& source);

  // Once per second. A source that cannot be read adds nothing but a problem.
  void emit(int64_t now_ns, Outlet& outlet, Problems& problems);

  // How many TCP connections were opened from here since boot, as of the last emit.
  const std::optional<uint64_t>& opened() const { return opened_; }

 private:
  void emit_interfaces(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_tcp(int64_t now_ns, Outlet& outlet, Problems& problems);
  void emit_sockets(int64_t now_ns, Outlet& outlet);

  SocketSource& source_;
  proc::Buffer buffer_;
  proc::KeptFile net_dev_, netstat_, snmp_, sockstat_, port_range_;
  BoundedNames interface_names_;
  Pace sockets_pace_;
  std::vector<proc::TcpSocket> sockets_;
  std::vector<bool> ports_;
  std::optional<uint64_t> opened_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_NETWORK_SAMPLER_H_
