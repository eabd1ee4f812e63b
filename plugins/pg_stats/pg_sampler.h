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
#include "plugins/pg_stats/chores.h"
#include "plugins/pg_stats/cluster_probe.h"
#include "plugins/pg_stats/counter_probe.h"
#include "plugins/pg_stats/dsn.h"
#include "plugins/pg_stats/growth_probe.h"
#include "plugins/pg_stats/health_board.h"
#include "plugins/pg_stats/index_probe.h"
#include "plugins/pg_stats/plan_probe.h"
#include "plugins/pg_stats/sampling_pace.h"
#include "plugins/pg_stats/server_cost.h"
#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/server_watch.h"
#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/setup_report.h"

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

  // Every call has a time to be done in, well below what the engine grants; each step inside it
  // gets what is left.
  void begin_call(std::chrono::milliseconds time);
  // When this part of the call's time is over.
  Session::Clock::time_point after(double part) const;

  // Opens the session, learns what the server has, prepares statements, notes what is missing.
  // DEADLINE_EXCEEDED: there was no time for all of it, and the next call goes on.
  Status open();
  Status set_up();
  // The server took too long; begins from the start next time.
  Status give_up_opening();
  // An extension may have come or gone since.
  void learn_statements_again();
  void note_what_is_missing();
  bool decide_local(const Session& session);
  void reconnect_when_due();
  void take_in_arrival();
  // Takes in what became of a reading: a lost connection, a passing slowness, a lasting failure.
  void settle(const char* what, const Status& status);
  void lose_session(const std::string& reason);

  void plan_chores();
  // What can wait for a tick with time to spare.
  void do_what_can_wait(int64_t now);
  void read_sessions(int64_t now);
  void read_counters();
  void tell(const ServerWatch::Event& event);

  // What the last tick cost the server, and what follows for the pace.
  void take_in_cost(int64_t now);
  void tell_pace(const SamplingPace::Change& change);
  std::string sampling_text() const;

  void ask_for_plans();
  void end_stretch(int64_t end_ns);

  HealthBoard health_;
  BackendProcesses processes_;
  ActivityProbe activity_;
  BlockingProbe blocking_;
  CounterProbe counters_;
  ClusterProbe cluster_;
  IndexProbe indexes_;
  PlanProbe plans_;
  SetupReport setup_;
  ServerWatch watch_;
  ServerCost cost_;
  std::optional<GrowthProbe> growth_;
  std::optional<SamplingPace> pace_;
  std::optional<Chores> chores_;

  std::optional<Dsn> dsn_;
  std::chrono::milliseconds statement_timeout_{1000};
  double budget_ = 0;  // share of one processor
  Local local_ = Local::kAuto;

  Session::Clock::time_point call_begin_;
  std::chrono::milliseconds call_time_{0};

  std::atomic<bool> interrupted_{false};
  std::unique_ptr<Session> session_;
  struct Opening {
    std::unique_ptr<Session> session;
    Session::Clock::time_point begun;
    size_t done = 0;  // steps
  };
  std::optional<Opening> opening_;
  ServerFacts facts_;
  bool started_ = false;
  bool stopped_ = false;
  int64_t lost_ns_ = 0;
  int64_t next_attempt_ns_ = 0;
  int64_t next_counters_ns_ = 0;
  int64_t next_slow_log_ns_ = 0;
  int64_t slow_readings_ = 0;
  int64_t plans_due_ns_ = 0;
  double cost_taken_in_ = 0;    // seconds
  double usual_tick_cost_ = 0;  // seconds, of ticks without anything dear
  bool read_something_dear_ = false;
  bool learn_again_ = false;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PG_SAMPLER_H_
