// What happens to the server itself while it is watched: told as events.
#ifndef PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_
#define PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plumb::pg_stats {

// What the server says of itself at one moment of the host's monotonic clock.
struct ServerSigns {
  int64_t now_ns = 0;
  double server_clock = 0;  // seconds since 1970
  double reset_at = 0;      // when the database's statistics were reset; 0: never
  bool in_recovery = false;
  double idle_others = 0;  // see ActivityProbe
};

// Which run of which server a connection leads to. Times are seconds since 1970.
struct ServerRun {
  double started = 0;
  double recovered = 0;  // see ServerFacts
  bool in_recovery = false;
};

// Compares each look with the one before. Not thread-safe.
class ServerWatch {
 public:
  struct Event {
    std::string kind;
    std::string message;
  };
  std::vector<Event> look(const ServerSigns& signs);

  struct Arrival {
    bool same_counters = true;  // they go on from those read last
    std::optional<Event> event;
  };
  // A new connection.
  Arrival connected(const ServerRun& run);

 private:
  std::optional<ServerSigns> last_;
  bool looked_over_this_connection_ = false;
  std::optional<ServerRun> run_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_
