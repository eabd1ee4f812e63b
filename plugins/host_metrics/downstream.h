// The target's outbound TCP connections: per peer, how many there are and how many await a reply.
// Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_
#define PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_

#include <plumb/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/host_metrics/awaiting.h"
#include "plugins/host_metrics/socket_source.h"

namespace plumb::host_metrics {

struct PeerReading {
  std::string peer;     // "ip:port", or "other" for those beyond the first 20
  double awaiting = 0;  // best estimate of the mean over the looks since the reading before
  // The same with everything left out that is not proven to await, and with everything counted that
  // may await; each further apart by the standard error of so few looks.
  double low = 0;
  double high = 0;
  double sockets = 0;  // at the last look at all sockets
};

class Downstream {
 public:
  explicit Downstream(SocketSource& source) : source_(source) {}

  // Asks the kernel for all connections but those that the target accepted on a port it listens on.
  Status resolve(std::span<const uint16_t> listening);
  // Whether that met connections whose owner is not known. Then the target's descriptors are to be
  // read, and claimed: connections whose inode is in `inodes` (ascending) are the target's. If the
  // descriptors were read after the resolve (`later`), the others are somebody else's if they still
  // are there at the next one.
  bool owners_unknown() const { return !strangers_.empty(); }
  void claim(std::span<const uint64_t> inodes, bool later);

  // One look at each connection as the resolve just made found it. A look stands for `span_ns`, as
  // a rule the time since the one before: means are means over time, however seldom looks are.
  void look(int64_t span_ns);
  // One look at connections of the last resolve as they are now: of each peer up to 8, others each
  // time, which stand for all of them.
  Status look_again(int64_t span_ns);
  // One entry per peer ever seen; empty when no look was taken since the call before.
  std::vector<PeerReading> take();

  // Whether the last look met a connection over which data had gone since the look at it before.
  bool active() const { return active_; }
  // Whether a connection of the last resolve has since been found closed.
  bool lost() const { return lost_; }

  bool any() const { return !tracked_.empty(); }
  // True when connections come and go so fast that a resolve per second would miss most of them.
  bool churns() const { return churning_ > 0; }
  uint64_t looks() const { return looks_; }          // at a single socket, since the beginning
  uint64_t undecided() const { return undecided_; }  // of those, how many nothing proved

 private:
  static constexpr size_t kMostPeers = 20;
  static constexpr size_t kMostPerLook = 8;  // sockets of one peer; others at the next look

  // Of what looks counted.
  struct Tally {
    double now = 0;               // in this look
    double sum = 0, squares = 0;  // over the looks, each times what it stands for
    void end_look(double span) {
      sum += now * span;
      squares += now * now * span;
      now = 0;
    }
  };
  struct Peer {
    std::string label;
    PeerHabits habits;
    Tally awaiting, low, high;
    Tally seen;            // sockets
    double looked_at = 0;  // of those, how many really
    size_t sockets = 0;
    size_t tracked = 0, next = 0;  // sockets at the last resolve, and where the next look begins
    // How many connections to it turned out to be the target's and somebody else's, older ones
    // fading: whose the ones are that were gone before it could be told.
    double own = 0, foreign = 0;
  };
  struct Connection {
    size_t peer = 0;
    SocketHistory history;
    bool seen = false;
  };
  struct Stranger {
    proc::TcpSocket socket;
    bool missed = false;  // the target's descriptors, read after it was seen, did not hold it
  };
  bool outbound(const proc::TcpSocket& socket) const;
  Peer* known_peer(const proc::TcpSocket& socket);
  size_t peer_of(const proc::TcpSocket& socket) const;
  void name_peers(std::span<const proc::TcpSocket> fresh);
  void choose();
  void begin_look() { active_ = false; }
  void end_look(int64_t span_ns);
  double standard_error(const Tally& tally, const Peer& peer) const;
  void look_at(const proc::TcpSocket& socket, size_t peer, SocketHistory& history, double weight);

  SocketSource& source_;
  std::vector<proc::TcpSocket> tracked_;  // the target's, as of the last resolve
  std::vector<proc::TcpSocket> read_;
  std::vector<proc::TcpSocket> chosen_;
  std::vector<Stranger> strangers_;                       // of the last resolve
  std::unordered_map<uint64_t, Connection> connections_;  // the target's, by inode
  std::unordered_map<uint64_t, bool> foreign_;            // by inode: seen at the last resolve
  std::vector<uint16_t> listening_;
  std::vector<Peer> peers_;
  std::unordered_map<std::string, size_t> peer_index_;
  // Of the looks since the last take(): what they stand for, and the squares of it.
  double span_ = 0, span_squares_ = 0;
  uint64_t samples_ = 0;
  bool active_ = false;
  bool lost_ = false;
  int churning_ = 0;
  bool resolved_ = false;
  uint64_t looks_ = 0;
  uint64_t undecided_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_DOWNSTREAM_H_
