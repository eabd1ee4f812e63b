// Every few seconds: how the cluster does beside the load. Checkpoints, I/O by kind of backend,
// vacuum, replication, sizes, who is connected.
#ifndef PLUMB_PLUGINS_PG_STATS_CLUSTER_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_CLUSTER_PROBE_H_

#include <cstdint>
#include <optional>
#include <plumb/plugin.hpp>
#include <set>
#include <string>

#include "plugins/pg_stats/series_board.h"
#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Each function is one reading; the caller paces them. A source that the server does not have is
// passed over. Not thread-safe.
class ClusterProbe {
 public:
  explicit ClusterProbe(Host host) : host_(host), board_(host) {}

  // A new connection; the counters may be another server's.
  void connected(bool same_counters);

  // Checkpoints, background writer, transaction age; tables being vacuumed (pg_vacuum_running).
  Status read_background(Session& session, const ServerFacts& facts);
  // pg_stat_io, from version 16 on.
  Status read_io(Session& session, const ServerFacts& facts);
  Status read_replication(Session& session, const ServerFacts& facts);
  // Table pg_connections.
  Status read_connections(Session& session, const ServerFacts& facts);
  Status read_size(Session& session, const ServerFacts& facts);

  // As last read.
  std::optional<double> database_bytes() const { return database_bytes_; }

 private:
  Status put_vacuum(Session& session, const ServerFacts& facts);
  // `wanted`, or "other" when there are too many different ones.
  std::string bounded(std::set<std::string>& known, std::string wanted) const;

  Host host_;
  SeriesBoard board_;
  std::set<std::string> followers_;
  std::set<std::string> io_kinds_;
  std::optional<double> database_bytes_;
  double background_reset_at_ = -1;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_CLUSTER_PROBE_H_
