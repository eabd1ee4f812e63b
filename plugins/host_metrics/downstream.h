// The target's outbound TCP connections: per peer, how many there are and how many await a reply.
// Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_
#define PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_

#include <plumb/status.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/host_metrics/awaiting.h"
#include "plugins/proc/sock_diag.h"

namespace plumb::host_metrics {

// Where sockets come from; tests bring their own.
class SocketSource {
 public:
  virtual ~SocketSource() = default;
  // Established sockets with tcp_info, those on `except_local_ports` left out.
  virtual Status established(std::span<const uint16_t> except_local_ports,
                             std::vector<proc::TcpSocket>& out) = 0;
  // Those of `sockets` that still exist, read again.
  virtual Status again(std::span<const proc::TcpSocket> sockets,
                       std::vector<proc::TcpSocket>& out) = 0;
};

// The kernel's sock_diag, opened at the first call.
std::unique_ptr<SocketSource> make_kernel_sockets();

struct PeerReading {
  std::string peer;     // "ip:port", or "other" for those beyond the first 20
  double awaiting = 0;  // mean over the samples since the reading before
  double sockets = 0;   // at the last resolve
};

class Downstream {
 public:
  explicit Downstream(std::unique_ptr<SocketSource> source) : source_(std::move(source)) {}

  // Which connections are the target's: those whose inode is in `inodes` (ascending), but for the
  // ones it accepted on a port it listens on.
  Status resolve(std::span<const uint64_t> inodes, std::span<const uint16_t> listening);
  // One look at each of them.
  Status sample();
  // One entry per peer ever seen; empty when no sample was taken since the call before.
  std::vector<PeerReading> take();

  // True when connections come and go so fast that a resolve per second would miss most of them.
  bool churns() const { return churning_ > 0; }
  uint64_t looks() const { return looks_; }          // at a single socket, since the beginning
  uint64_t undecided() const { return undecided_; }  // of those, how many could not be told

 private:
  static constexpr size_t kMostPeers = 20;
  static constexpr size_t kMostRefreshed = 200;  // beyond, one dump is cheaper

  struct Peer {
    std::string label;
    double awaiting = 0;  // summed over samples
    size_t sockets = 0;
  };
  struct Connection {
    size_t peer = 0;
    SocketHistory history;
    bool seen = false;
  };
  size_t peer_of(const proc::TcpSocket& socket);
  void name_peers();

  std::unique_ptr<SocketSource> source_;
  std::vector<proc::TcpSocket> tracked_;
  std::vector<proc::TcpSocket> read_;
  std::unordered_map<uint64_t, Connection> connections_;  // by inode
  std::vector<uint16_t> listening_;
  std::vector<Peer> peers_;
  std::unordered_map<std::string, size_t> peer_index_;
  uint64_t samples_ = 0;
  int churning_ = 0;
  bool resolved_ = false;
  uint64_t looks_ = 0;
  uint64_t undecided_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_
