// The target's TCP sockets: what it awaits downstream and what waits in front of it. Knows which
// sockets are the target's by reading its descriptors, and does so only when sockets turn up whose
// owner is not known; lists connections only when some were opened or closed. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_SOCKETS_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_SOCKETS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugins/host_metrics/accept_queues.h"
#include "plugins/host_metrics/downstream.h"
#include "plugins/host_metrics/outlet.h"
#include "plugins/host_metrics/pace.h"
#include "plugins/host_metrics/problems.h"
#include "plugins/host_metrics/socket_source.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class TargetSockets {
 public:
  // `self` is this process: the network namespace that can be seen is its own.
  TargetSockets(proc::Root root, SocketSource& source, proc::Pid self);

  // A look at connections and queues, unless the last ones took so long that one now would cost
  // too much. `target`: its processes, ascending.
  void tick(int64_t now_ns, std::span<const proc::Pid> target, Problems& problems);
  // Once per second: emits what the ticks saw, and finds out which sockets there are. `opened`: how
  // many connections this machine has ever opened, counted before this call.
  void second(int64_t now_ns, std::span<const proc::Pid> target, std::optional<uint64_t> opened,
              Outlet& outlet, Problems& problems);
  // The target is another process now.
  void forget();

  // Whether the last tick saw what may be over before a rare look would see it.
  bool busy() const { return busy_; }
  // Whether there are connections at which a look is worth while.
  bool any_outbound() const { return visible_ && downstream_.any(); }

  const Downstream& downstream() const { return downstream_; }

 private:
  // What a look at this instant stands for.
  int64_t begin_look(int64_t now_ns);
  bool connections_changed(int64_t now_ns, std::optional<uint64_t> opened) const;
  void resolve(int64_t now_ns, std::span<const proc::Pid> target, Problems& problems,
               int64_t span_ns);
  void resolve_listeners(int64_t now_ns, std::span<const proc::Pid> target, Problems& problems);
  // False when it may not be done now, because it would take too large a part of the time, or when
  // not all could be read that may be the next time.
  bool scan_descriptors(int64_t now_ns, std::span<const proc::Pid> target, Problems& problems);
  bool other_network(proc::Pid target) const;
  void see_network(int64_t now_ns, proc::Pid target);
  void emit_descriptors(int64_t now_ns, std::span<const proc::Pid> target, Outlet& outlet,
                        Problems& problems);

  proc::Root root_;
  proc::Pid self_;
  Downstream downstream_;
  AcceptQueues queues_;
  SocketSource& source_;
  std::vector<proc::TcpSocket> listeners_;
  std::vector<uint64_t> inodes_;           // sockets that the target held at the last scan
  std::string unseen_;                     // why the last scan could not see all of them
  std::vector<uint64_t> listener_inodes_;  // all listeners', ascending, at the last resolve
  bool visible_ = false;                   // the target lives in this network
  proc::Pid seen_from_ = 0;                // of whom that was last read,
  int64_t seen_ns_ = 0;                    // and when
  std::optional<uint64_t> opened_;         // at the last resolve
  int64_t resolved_ns_ = INT64_MIN;
  int64_t last_look_ns_ = 0;
  bool busy_ = false;
  Pace scan_pace_, look_pace_, resolve_pace_, count_pace_, listeners_pace_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_SOCKETS_H_
