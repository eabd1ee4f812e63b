// Who makes whom wait: from pairs of waiting and blocking sessions to the roots of the chains, and
// from samples of them to seconds waited.
#ifndef PLUMB_PLUGINS_PG_STATS_BLOCKING_H_
#define PLUMB_PLUGINS_PG_STATS_BLOCKING_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace plumb::pg_stats {

// A session that waits for a lock or is waited for, at one instant.
struct LockSession {
  int pid = 0;
  std::vector<int> blocked_by;  // empty: it does not wait
  std::string application;
  std::string state;  // "active", "idle in transaction", ..., or what it is when no client
  int64_t query_id = 0;
  std::string query;        // as the server shows it: redacted only where it leaves the plugin
  std::string client = {};  // "address:port", "socket file", or "" when hidden
  std::string lock = {};    // mode of the lock that it waits for
  std::string table = {};   // whose row or table that is, where it can be told
};

// A session that holds others up and is itself held up by nobody.
struct Root {
  LockSession session;
  double victims = 0;  // sessions behind it; one behind several roots counts for each by its share
  int depth = 0;       // of the tree behind it: 1 when all wait for a root itself
  std::string wanted = {};  // the lock that most of its victims wait for: "mode on table"
};

// The roots that each waiting session is behind, in a time that grows with the pairs of a waiter
// and a blocker. A blocker that is not among the sessions is a root with its pid alone (pid 0 is a
// prepared transaction). Where sessions wait in a circle for nobody else, which the server resolves
// within deadlock_timeout, the circle's lowest pid stands as its root.
std::vector<Root> roots_of(const std::vector<LockSession>& sessions);

// Adds up seconds waited per root over a stretch of time. Sessions of the same application, state
// and statement count as one line, since a hot row is handed from one connection to the next.
class BlockingLedger {
 public:
  struct Line {
    int pid = 0;  // of the session that held others up longest
    std::string application;
    std::string state;
    int64_t query_id = 0;
    std::string query;  // redacted, cut
    std::set<int> pids;
    std::string client;  // of the same session
    std::string wanted;  // the lock that most was waited for
    int depth = 0;       // of the deepest tree
    double victims = 0;  // most at once
    double seconds = 0;
  };

  // The roots as they are now, in place of the earlier ones. `plain_strings_escape`: see
  // redact_statement.
  void observe(const std::vector<Root>& roots, bool plain_strings_escape = false);
  // `waiters` sessions waited for `seconds`: shared among the last roots by their victims.
  void add(double waiters, double seconds);
  void clear();
  // Longest waited first.
  std::vector<Line> lines() const;

 private:
  using Key = std::tuple<std::string, std::string, int64_t, std::string>;
  struct Entry {
    Line line;
    std::map<int, double> seconds_by_pid;
    std::map<int, std::string> client_by_pid;
    std::map<std::string, double> seconds_by_lock;
  };
  struct Share {
    Key key;
    int pid;
    double victims;
    std::string wanted;
  };
  std::map<Key, Entry> entries_;
  std::vector<Share> now_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_BLOCKING_H_
