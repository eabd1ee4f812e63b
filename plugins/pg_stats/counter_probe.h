// Once a second: the server's own counters, and the processor time of its backends.
#ifndef PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_

#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/series_board.h"
#include "plugins/pg_stats/server_cost.h"
#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/server_watch.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

inline constexpr const char* kCountersStatement = "plumb_counters";

// Emits the series of pg_stat_database, pg_stat_wal, connections, the server's addresses and, when
// the server is on this machine, of schedstat. Totals never fall, also when the server restarts.
// The sampler's own transactions, those cut off included, and its processor time are taken out of
// what the server counts. Not thread-safe.
class CounterProbe {
 public:
  CounterProbe(Host host, proc::Root root)
      : host_(host), backends_(std::move(root)), board_(host) {}
  // A new connection.
  void attach(const Session& session, bool local);
  // The connection is lost, or was never used.
  void detach(const Session& session);
  // The counters read from now on are another server's, or of statistics begun anew.
  void restart();
  // What the activity probe did since the last read, to be told with the rest.
  struct Sampling {
    int64_t readings = 0;
    const ServerCost* cost = nullptr;
  };
  // Reads once; kCountersStatement is prepared. Returns what the server says of itself now.
  Result<ServerSigns> read(Session& session, const ServerFacts& facts, const Sampling& sampling);

 private:
  Status put_counters(const Rows& rows, const Session::Transactions& own, const ServerCost& cost);
  Status put_sessions(const Rows& rows, const ServerFacts& facts);
  Status put_processor_times();
  Status put_sampling(const Sampling& sampling);
  Status put_addresses();

  Host host_;
  BackendTimes backends_;
  SeriesBoard board_;
  bool local_ = false;
  Session::Transactions own_before_;    // of earlier connections
  std::vector<std::string> addresses_;  // where the server is reached now
  int64_t last_ns_ = 0;
  int64_t now_ns_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_
