// What happens to the server itself while it is watched: told as events.
#ifndef PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_
#define PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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

// Compares each look with the one before. Not thread-safe.
class ServerWatch {
 public:
  struct Event {
    std::string kind;
    std::string message;
  };
  std::vector<Event> look(const ServerSigns& signs);
  // A new connection: `started` is when the server it leads to was started, in seconds since 1970.
  std::optional<Event> connected(double started, bool in_recovery);

 private:
  std::optional<ServerSigns> last_;
  std::optional<std::pair<double, bool>> server_;  // started, in recovery
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERVER_WATCH_H_
