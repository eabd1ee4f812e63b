// At every tick that is not skipped: what the client sessions are doing.
#ifndef PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_

#include <array>
#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/session_class.h"

namespace plumb::pg_stats {

inline constexpr const char* kActivityStatement = "plumb_activity";
inline constexpr const char* kFewBusyStatement = "plumb_few_busy";

// Emits pg_sessions, pg_lock_waiters and pg_busy_connections, and keeps averages since the last
// clear() for the table pg_waits. A reading stands for the time since the one before, so averages
// stay right when the pace changes. Not thread-safe.
class ActivityProbe {
 public:
  explicit ActivityProbe(Host host) : host_(host) {}

  // Declares its series; before the first read.
  Status declare();
  // Reads once; kActivityStatement is prepared, and kFewBusyStatement where `may_skip_idle`: it is
  // used while few sessions are busy. Returns how many sessions wait for a lock.
  Result<int64_t> read(Session& session, bool may_skip_idle);
  // Sessions of the database that idle outside transactions and are not those of its clients, such
  // as background workers.
  void set_idle_others(double sessions) { idle_others_ = sessions; }
  // A tick without a reading: says the last one again, so that a plain mean over the samples weighs
  // readings by time, too. Nothing when the last reading failed.
  Status hold();
  // Readings since the last call.
  int64_t take_readings();
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
  struct Client {
    Series series;
    double busy = 0;
  };
  void account(SessionClass c, std::string event, int64_t query_id, double session_seconds);
  void count_idle(const Rows& rows, std::array<double, kSessionClasses>& counts) const;
  Status count_busy(std::string_view client, double sessions);
  void fill_samples(const std::array<double, kSessionClasses>& counts);
  // How long the reading at `now` stands for.
  double seconds_until(int64_t now);

  Host host_;
  std::array<Series, kSessionClasses> sessions_;
  Series lock_waiters_;
  Series busy_;
  std::map<std::string, Client, std::less<>> clients_;  // by address
  std::vector<plumb_sample> samples_;                   // of the last reading
  bool stands_ = false;                                 // the last reading did not fail
  int64_t last_ns_ = 0;
  int64_t readings_ = 0;
  bool few_busy_ = false;
  double idle_others_ = 0;
  double seconds_ = 0;               // seen since clear()
  std::map<EventKey, double> seen_;  // session-seconds
  std::unordered_map<int64_t, std::map<std::string, double>> seen_by_statement_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_ACTIVITY_PROBE_H_
