// While sessions wait for locks: who holds them up.
#ifndef PLUMB_PLUGINS_PG_STATS_BLOCKING_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_BLOCKING_PROBE_H_

#include <cstdint>
#include <plumb/plugin.hpp>

#include "plugins/pg_stats/blocking.h"
#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

inline constexpr const char* kBlockingStatement = "plumb_blocking";

// Follows blocking chains at most every 500 ms, and more seldom where that is dear (it costs the
// server a look at every lock for each waiter); adds up seconds waited at every tick between. Not
// thread-safe.
class BlockingProbe {
 public:
  explicit BlockingProbe(Host host) : host_(host) {}
  // After each reading of the activity: `waiters` sessions wait for a lock now. kBlockingStatement
  // is prepared.
  Status tick(Session& session, const ServerFacts& facts, int64_t waiters);
  // Forgets when it last looked, for a stretch in which nothing could be seen.
  void pause() { last_tick_ns_ = 0; }
  void clear() {
    ledger_.clear();
    next_follow_ns_ = 0;
  }
  Status emit_table() const;

 private:
  Status follow(Session& session, const ServerFacts& facts);

  Host host_;
  BlockingLedger ledger_;
  int64_t last_tick_ns_ = 0;
  int64_t next_follow_ns_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_BLOCKING_PROBE_H_
