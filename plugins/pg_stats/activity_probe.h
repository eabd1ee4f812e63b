// Ten times a second: what the client sessions are doing.
#ifndef PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_

#include <array>
#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <unordered_map>

#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/session_class.h"

namespace plumb::pg_stats {

inline constexpr const char* kActivityStatement = "plumb_activity";

// Emits pg_sessions and pg_lock_waiters, and keeps averages since the last clear() for the table
// pg_waits. Not thread-safe.
class ActivityProbe {
 public:
  explicit ActivityProbe(Host host) : host_(host) {}

  // Declares its series; before the first read.
  Status declare();
  // Reads once; kActivityStatement is prepared. Returns how many sessions wait for a lock.
  Result<int64_t> read(Session& session);
  void clear();
  Status emit_table() const;

  // How much of the time a statement was seen running or waiting, in sessions, and on what most.
  struct StatementLoad {
    double sessions = 0;
    std::string main_event;
  };
  StatementLoad statement_load(int64_t query_id) const;

 private:
  struct EventKey {
    SessionClass session_class;
    std::string event;
    auto operator<=>(const EventKey&) const = default;
  };
  void account(SessionClass c, std::string event, int64_t query_id, double sessions);

  Host host_;
  std::array<Series, kSessionClasses> sessions_;
  Series lock_waiters_;
  int64_t ticks_ = 0;
  std::map<EventKey, double> seen_;  // session-ticks
  std::unordered_map<int64_t, std::map<std::string, double>> seen_by_statement_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_
