#include "plugins/pg_stats/session_class.h"

#include <algorithm>

namespace plumb::pg_stats {
namespace {

bool same_event(std::string_view a, std::string_view b) {
  // PostgreSQL 17 respelled the I/O events: WALSync became WalSync.
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string_view session_class_name(SessionClass c) {
  switch (c) {
    case SessionClass::kCpu:
      return "cpu";
    case SessionClass::kLock:
      return "lock";
    case SessionClass::kLwLock:
      return "lwlock";
    case SessionClass::kCommit:
      return "commit";
    case SessionClass::kIo:
      return "io";
    case SessionClass::kClient:
      return "client";
    case SessionClass::kSleep:
      return "sleep";
    case SessionClass::kIpc:
      return "ipc";
    case SessionClass::kOther:
      return "other";
    case SessionClass::kIdleInTransaction:
      return "idle_in_transaction";
    case SessionClass::kIdle:
      return "idle";
  }
  return "other";
}

std::optional<SessionClass> classify_session(std::string_view state, std::string_view wait_type,
                                             std::string_view wait_event) {
  if (state == "idle") return SessionClass::kIdle;
  if (state.starts_with("idle in transaction")) return SessionClass::kIdleInTransaction;
  if (state != "active" && state != "fastpath function call") return std::nullopt;
  if (wait_type.empty()) return SessionClass::kCpu;
  if (wait_type == "Activity") return std::nullopt;
  if (wait_type == "Lock") return SessionClass::kLock;
  if (wait_type == "LWLock") {
    // A session that commits queues here while another one flushes the WAL for it.
    return same_event(wait_event, "WALWrite") ? SessionClass::kCommit : SessionClass::kLwLock;
  }
  if (wait_type == "IO") {
    return same_event(wait_event, "WALSync") || same_event(wait_event, "WALWrite")
               ? SessionClass::kCommit
               : SessionClass::kIo;
  }
  if (wait_type == "IPC")
    return same_event(wait_event, "SyncRep") ? SessionClass::kCommit : SessionClass::kIpc;
  if (wait_type == "Client") return SessionClass::kClient;
  if (wait_type == "Timeout" && same_event(wait_event, "PgSleep")) return SessionClass::kSleep;
  return SessionClass::kOther;
}

}  // namespace plumb::pg_stats
