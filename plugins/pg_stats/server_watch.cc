#include "plugins/pg_stats/server_watch.h"

#include <cmath>
#include <cstdio>

namespace plumb::pg_stats {
namespace {

// A reading is stamped after its answer, which a busy server may give late.
constexpr double kClockSlackSeconds = 3;

}  // namespace

std::vector<ServerWatch::Event> ServerWatch::look(const ServerSigns& signs) {
  std::vector<Event> events;
  if (last_) {
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
    if (signs.reset_at != last_->reset_at)
      events.push_back({"statistics-reset",
                        "somebody reset the statistics of the database (pg_stat_reset): totals go "
                        "on from where they were, and what was counted in between is lost"});
    if (signs.in_recovery != last_->in_recovery)
      events.push_back({"database-role-changed",
                        signs.in_recovery ? "the server became a standby"
                                          : "the server was promoted from standby to primary"});
  }
  last_ = signs;
  return events;
}

std::optional<ServerWatch::Event> ServerWatch::connected(double started, bool in_recovery) {
  const auto before = server_;
  server_ = {started, in_recovery};
  // Statistics of a crashed server are gone without anybody's reset.
  last_.reset();
  if (!before) return std::nullopt;
  if (in_recovery != before->second)
    return Event{"database-role-changed",
                 in_recovery ? "the connection leads to a standby now"
                             : "the connection leads to a primary now, which was a standby before"};
  if (started != before->first)
    return Event{"database-restarted",
                 "PostgreSQL was started anew, or the connection leads to another server: totals "
                 "go on from where they were"};
  return std::nullopt;
}

}  // namespace plumb::pg_stats
