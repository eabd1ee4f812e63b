// What a client session is doing at an instant, told from its state and wait event as
// pg_stat_activity shows them.
#ifndef PLUMB_PLUGINS_PG_STATS_SESSION_CLASS_H_
#define PLUMB_PLUGINS_PG_STATS_SESSION_CLASS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace plumb::pg_stats {

enum class SessionClass {
  kCpu,     // active and waiting on nothing that PostgreSQL names: running or runnable
  kLock,    // a heavyweight lock
  kLwLock,  // a lightweight lock, but for the wait for somebody else's WAL flush
  kCommit,  // WAL write, WAL sync, synchronous replication
  kIo,
  kClient,  // active and waiting for the client to send or to take bytes
  kSleep,   // pg_sleep
  kIpc,
  kOther,
  kIdleInTransaction,
  kIdle,
};

inline constexpr size_t kSessionClasses = 11;

constexpr std::array<SessionClass, kSessionClasses> all_session_classes() {
  using enum SessionClass;
  return {kCpu, kLock, kLwLock, kCommit, kIo, kClient, kSleep, kIpc, kOther, kIdleInTransaction,
          kIdle};
}

// The value of the label `class`: "cpu", "lock", ..., "idle_in_transaction", "idle".
std::string_view session_class_name(SessionClass c);

// The class of a client session. `wait_type` and `wait_event` are empty where the server shows
// null. None for a session that is nobody's work: not yet started, hidden from the role, in the
// server's own idle loop, or with track_activities off.
std::optional<SessionClass> classify_session(std::string_view state, std::string_view wait_type,
                                             std::string_view wait_event);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SESSION_CLASS_H_
