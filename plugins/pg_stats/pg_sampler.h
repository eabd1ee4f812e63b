// The sampler `pg_stats`: watches one database of a PostgreSQL server over one read-only
// connection, and emits what docs/signals.md lists under pg_stats.
#ifndef PLUMB_PLUGINS_PG_STATS_PG_SAMPLER_H_
#define PLUMB_PLUGINS_PG_STATS_PG_SAMPLER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <plumb/plugin.hpp>
#include <string>

#include "plugins/pg_stats/activity_probe.h"
#include "plugins/pg_stats/backend_times.h"
#include "plugins/pg_stats/blocking_probe.h"
#include "plugins/pg_stats/counter_probe.h"
#include "plugins/pg_stats/dsn.h"
#include "plugins/pg_stats/growth_probe.h"
#include "plugins/pg_stats/health_board.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Threads and order of calls as in plumb_plugin. Losing the server is no failure of collect: the
// health turns dark and a new connection is tried once a second.
class PgSampler final : public plumb::Sampler {
 public:
  explicit PgSampler(Host h);
  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  void interrupt() override { interrupted_.store(true, std::memory_order_relaxed); }
  Status stop(int64_t deadline_ns) override;

 private:
  enum class Local { kAuto, kYes, kNo };

  // Opens the session, learns what the server has, notes what is missing, prepares statements.
  Status open(std::chrono::milliseconds connect_timeout);
  Status learn_server(Session& session);
  Status prepare(Session& session);
  void note_what_is_missing(const Session& session);
  bool decide_local(const Session& session);
  void reconnect_when_due();
  // Takes in what became of a reading: a lost connection, a passing slowness, a lasting failure.
  void settle(const char* what, const Status& status);
  void lose_session(const std::string& reason);
  Status emit_settings();
  void end_stretch(int64_t end_ns);

  HealthBoard health_;
  ProcTree proc_;
  ActivityProbe activity_;
  BlockingProbe blocking_;
  CounterProbe counters_;
  std::optional<GrowthProbe> growth_;

  std::optional<Dsn> dsn_;
  std::chrono::milliseconds statement_timeout_{1000};
  Local local_ = Local::kAuto;

  std::atomic<bool> interrupted_{false};
  std::unique_ptr<Session> session_;
  ServerFacts facts_;
  bool started_ = false;
  bool stopped_ = false;
  int64_t lost_ns_ = 0;
  int64_t next_attempt_ns_ = 0;
  int64_t next_counters_ns_ = 0;
  int64_t next_slow_log_ns_ = 0;
  int64_t slow_readings_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PG_SAMPLER_H_
