#include "plugins/pg_stats/server_watch.h"

#include <cmath>
#include <cstdio>

namespace plumb::pg_stats {
namespace {

// A reading is stamped after its answer, which a busy server may give late.
constexpr double kClockSlackSeconds = 3;

std::string role_message(bool in_recovery) {
  return in_recovery ? "the connection leads to a standby now"
                     : "the connection leads to a primary now, which was a standby before";
}

}  // namespace

std::vector<ServerWatch::Event> ServerWatch::look(const ServerSigns& signs) {
  std::vector<Event> events;
  // A connection that was lost may lead to another clock.
  if (last_ && looked_over_this_connection_) {
    const double passed = static_cast<double>(signs.now_ns - last_->now_ns) / 1e9;
    const double jump = signs.server_clock - last_->server_clock - passed;
    if (std::abs(jump) > kClockSlackSeconds) {
      char text[160];
      std::snprintf(text, sizeof(text),
                    "the clock of the database server was put %s by %.1f s: ages of sessions and "
                    "transactions around this moment are wrong",
                    jump > 0 ? "forward" : "back", std::abs(jump));
      events.push_back({"server-clock-jumped", text});
    }
  }
  // No crash changes this within one run of a server: it would have begun another.
  if (last_ && signs.reset_at != last_->reset_at)
    events.push_back({"statistics-reset",
                      "somebody reset the statistics of the database (pg_stat_reset): totals go "
                      "on from where they were, and what was counted in between is lost"});
  if (last_ && looked_over_this_connection_ && signs.in_recovery != last_->in_recovery)
    events.push_back({"database-role-changed",
                      signs.in_recovery ? "the server became a standby"
                                        : "the server was promoted from standby to primary"});
  last_ = signs;
  looked_over_this_connection_ = true;
  return events;
}

ServerWatch::Arrival ServerWatch::connected(const ServerRun& run) {
  const auto before = run_;
  const auto seen = last_;
  run_ = run;
  looked_over_this_connection_ = false;
  if (!before) return {};
  const bool role_changed = run.in_recovery != before->in_recovery;
  if (run.started == before->started && run.recovered == before->recovered) {
    // Without it a crash, which loses them too, cannot be told from somebody's reset.
    if (run.recovered == 0) last_.reset();
    if (!role_changed) return {};
    return {true, Event{"database-role-changed", role_message(run.in_recovery)}};
  }
  // Whose statistics were reset when, is another story there.
  last_.reset();
  const std::string totals = "totals go on from where they were, without what happened in between";
  if (role_changed)
    return {false, Event{"database-role-changed", role_message(run.in_recovery) + ": " + totals}};
  if (run.started == before->started)
    return {false, Event{"database-restarted",
                         "a process of PostgreSQL crashed, and the server recovered; its "
                         "statistics are lost: " +
                             totals}};
  // It was up while the other one was still seen.
  if (seen && run.started < seen->server_clock - kClockSlackSeconds)
    return {false,
            Event{"database-replaced",
                  "the connection leads to another server, which was running before: " + totals}};
  return {false, Event{"database-restarted", "PostgreSQL was started anew: " + totals}};
}

}  // namespace plumb::pg_stats
