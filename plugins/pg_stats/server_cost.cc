#include "plugins/pg_stats/server_cost.h"

namespace plumb::pg_stats {

void ServerCost::attach(const Session& session, bool local) {
  const double so_far = seconds();
  waited_before_ += waited_;
  waited_ = 0;
  local_ = local;
  before_ = local ? so_far - self_.cpu_seconds() : so_far;
  update(session);
}

void ServerCost::update(const Session& session) {
  waited_ = session.waited_seconds();
  if (!local_) return;
  const int pid = session.backend_pid();
  self_.update(std::span(&pid, 1));
}

}  // namespace plumb::pg_stats
