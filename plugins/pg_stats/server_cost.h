// What the sampler costs the server.
#ifndef PLUMB_PLUGINS_PG_STATS_SERVER_COST_H_
#define PLUMB_PLUGINS_PG_STATS_SERVER_COST_H_

#include <cstdint>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Adds up over connections: the processor time of the sampler's own backend where it can be read;
// elsewhere the time that answers took, which is an upper bound. Not thread-safe.
class ServerCost {
 public:
  explicit ServerCost(proc::Root root) : self_(std::move(root)) {}
  // A new connection; `local`: its backend is a process of this machine.
  void attach(const Session& session, bool local);
  // Takes in what has been used until now. The kernel shows a running process late, so what a
  // reading cost is known once its backend sleeps again: at the next tick.
  void update(const Session& session);

  bool local() const { return local_; }
  double seconds() const { return local_ ? self_.cpu_seconds() + before_ : before_ + waited_; }
  double cpu_seconds() const { return self_.cpu_seconds(); }
  // On a processor or waiting for one, which is what the server takes for active time.
  double running_seconds() const { return self_.cpu_seconds() + self_.runqueue_seconds(); }
  double waited_seconds() const { return waited_before_ + waited_; }

 private:
  BackendTimes self_;
  bool local_ = false;
  double before_ = 0;         // what seconds() had when the way of measuring changed
  double waited_before_ = 0;  // of earlier connections
  double waited_ = 0;         // of this one
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERVER_COST_H_
