// The queues in front of the target: connections that are made and not accepted yet, per listening
// port. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_ACCEPT_QUEUES_H_
#define PLUMB_PLUGINS_HOST_METRICS_ACCEPT_QUEUES_H_

#include <plumb/status.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "plugins/host_metrics/socket_source.h"

namespace plumb::host_metrics {

struct AcceptQueueReading {
  uint16_t port = 0;
  double mean = 0;     // connections waiting, over the time since the reading before
  double longest = 0;  // the most seen at one of them
  double limit = 0;    // how many may wait; one more is refused or left unanswered
};

class AcceptQueues {
 public:
  explicit AcceptQueues(SocketSource& source) : source_(source) {}

  // Which listeners are the target's: those whose inode is in `inodes` (ascending). The lowest 16
  // ports are watched. Counts as a look, as which it stands for `span_ns`; so does look().
  void resolve(std::span<const proc::TcpSocket> listeners, std::span<const uint64_t> inodes,
               int64_t span_ns);
  Status look(int64_t span_ns);
  // By port; empty when no look was taken since the call before.
  std::vector<AcceptQueueReading> take();

  bool any() const { return !listeners_.empty(); }
  bool waiting() const;                                          // somebody was, at the last look
  const std::vector<uint16_t>& ports() const { return ports_; }  // all of the target's, ascending

 private:
  struct Queue {
    uint64_t now = 0;
    uint64_t limit = 0;
    double sum = 0;  // over the looks, each times what it stands for
    uint64_t longest = 0;
  };
  void count(std::span<const proc::TcpSocket> sockets, int64_t span_ns);

  SocketSource& source_;
  std::vector<proc::TcpSocket> listeners_;
  std::vector<proc::TcpSocket> read_;
  std::vector<uint16_t> ports_;
  std::map<uint16_t, Queue> queues_;
  double span_ = 0;  // what the looks since the last take() stand for
  // Of several listeners on one address (SO_REUSEPORT) a lookup finds only one: then all are
  // listed.
  bool list_all_ = false;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_ACCEPT_QUEUES_H_
