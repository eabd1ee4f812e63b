#include "plugins/pg_stats/blocking_probe.h"

#include <algorithm>
#include <vector>

#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr int64_t kFollowEveryNs = 500'000'000;
constexpr int64_t kFollowAtLeastEveryNs = 5'000'000'000;
constexpr int64_t kCostToPause = 1000;
// A tick that came late says nothing of the time before.
constexpr int64_t kLongestTickNs = 2'500'000'000;
constexpr size_t kTableRows = 100;
constexpr std::string_view kPublic = "public.";

// The server shows port -1 where the client came through a socket file, and nothing of other
// roles' sessions to a role without pg_monitor.
std::string client_of(const Rows& rows, int r) {
  if (rows.is_null(r, 8)) return {};
  if (rows.integer(r, 8) < 0) return "socket file";
  const std::string address(rows.text(r, 7));
  const std::string port(rows.text(r, 8));
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + port;
}

}  // namespace

Status BlockingProbe::tick(Session& session, const ServerFacts& facts, int64_t waiters) {
  const int64_t now = host_.now_ns();
  const int64_t since =
      last_tick_ns_ == 0 ? 0 : std::clamp<int64_t>(now - last_tick_ns_, 0, kLongestTickNs);
  last_tick_ns_ = now;
  if (waiters == 0) return Status::ok();
  Status status;
  if (now >= next_follow_ns_) {
    status = follow(session, facts);
    const int64_t cost = host_.now_ns() - now;
    next_follow_ns_ = now + std::clamp(cost * kCostToPause, kFollowEveryNs, kFollowAtLeastEveryNs);
  }
  ledger_.add(static_cast<double>(waiters), static_cast<double>(since) / 1e9);
  return status;
}

Status BlockingProbe::follow(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.run(kBlockingStatement));
  std::vector<LockSession> sessions;
  for (int r = 0; r < rows.count(); ++r) {
    LockSession s;
    s.pid = static_cast<int>(rows.integer(r, 0));
    s.blocked_by = rows.integers(r, 1);
    s.application = rows.text(r, 2);
    s.state = rows.is_null(r, 3) ? rows.text(r, 4) : rows.text(r, 3);
    s.query_id = rows.integer(r, 5);
    s.query = rows.text(r, 6);
    s.client = client_of(rows, r);
    s.lock = rows.text(r, 9);
    s.table = rows.text(r, 10);
    if (s.table.starts_with(kPublic)) s.table.erase(0, kPublic.size());
    sessions.push_back(std::move(s));
  }
  const std::vector<Root> roots = roots_of(sessions);
  // Between the two readings the lock may have been passed on: then the last roots stand.
  if (!roots.empty()) ledger_.observe(roots, facts.plain_strings_escape);
  return Status::ok();
}

Status BlockingProbe::emit_table() const {
  const auto lines = ledger_.lines();
  if (lines.empty()) return Status::ok();
  TableJson table("Who held others up with locks", {{"pid", "Root pid"},
                                                    {"application", "Application"},
                                                    {"state", "State"},
                                                    {"query", "Statement"},
                                                    {"query_id", "Query id"},
                                                    {"sessions", "Sessions it was"},
                                                    {"victims", "Most victims at once"},
                                                    {"waited", "Waited", "seconds"},
                                                    {"client", "Client"},
                                                    {"depth", "Depth of the tree"},
                                                    {"lock", "Lock waited for"}});
  for (size_t i = 0; i < lines.size() && i < kTableRows; ++i) {
    const BlockingLedger::Line& l = lines[i];
    table.add({l.pid, cut_text(l.application, kLabelCharacters), l.state, l.query,
               query_id_text(l.query_id), l.pids.size(), rounded(l.victims), rounded(l.seconds),
               l.client, l.depth, l.wanted});
  }
  return host_.table("pg_blocking", table.text());
}

}  // namespace plumb::pg_stats
