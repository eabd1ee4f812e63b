// Once a second: the server's own counters, and the processor time of its backends.
#ifndef PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_

#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/running_total.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

inline constexpr const char* kCountersStatement = "plumb_counters";

// Emits the series of pg_stat_database, pg_stat_wal, connections, the server's addresses and, when
// the server is on this machine, of schedstat. Totals never fall, also when the server restarts.
// The sampler's own transactions and processor time are taken out of what the server counts. Not
// thread-safe.
class CounterProbe {
 public:
  CounterProbe(Host host, ProcTree proc) : host_(host), proc_(std::move(proc)) {}
  // A new connection: `local` when the server's processes are this machine's.
  void attach(const Session& session, bool local);
  // Reads once; kCountersStatement is prepared.
  Status read(Session& session, const ServerFacts& facts);

 private:
  struct Counter {
    Series series;
    RunningTotal total;
  };
  Status put(const char* name, const char* unit, uint32_t kind, uint32_t part, const char* help,
             double value, double own = 0);
  void measure_self(const Session& session);
  Status put_addresses();

  Host host_;
  ProcTree proc_;
  bool local_ = false;
  BackendTimes backends_;
  BackendTimes self_;
  uint64_t own_before_ = 0;  // transactions of earlier connections
  uint64_t own_of_session_ = 0;
  std::map<std::string, Counter> series_;
  std::vector<std::string> addresses_;     // where the server is reached now
  std::map<std::string, Series> servers_;  // by address
  std::vector<plumb_sample> batch_;
  int64_t now_ns_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_COUNTER_PROBE_H_
