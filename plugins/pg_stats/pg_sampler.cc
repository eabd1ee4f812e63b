#include "plugins/pg_stats/pg_sampler.h"

#include <algorithm>

#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr milliseconds kFirstConnect(4500);  // configure has 5 s in all
constexpr milliseconds kReconnect(1000);
constexpr milliseconds kStopMargin(100);

int64_t next_second(int64_t due, int64_t now) {
  // Keeps the beat, and skips what was missed.
  return due + kSecondNs > now ? due + kSecondNs : now + kSecondNs;
}

}  // namespace

PgSampler::PgSampler(Host h)
    : Sampler(h), health_(h), activity_(h), blocking_(h), counters_(h, ProcTree()) {}

Status PgSampler::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(Dsn dsn, Dsn::parse(config.string("dsn")));
  dsn_ = std::move(dsn);
  statement_timeout_ = std::chrono::duration_cast<milliseconds>(
      config.duration("statement_timeout", std::chrono::seconds(1)));
  growth_.emplace(host(), static_cast<size_t>(std::max<int64_t>(1, config.integer("top", 15))));
  const std::string local = config.string("local", "auto");
  local_ = local == "yes" ? Local::kYes : local == "no" ? Local::kNo : Local::kAuto;
  return open(kFirstConnect);
}

Status PgSampler::open(milliseconds connect_timeout) {
  PLUMB_ASSIGN_OR_RETURN(auto session,
                         Session::open(*dsn_, {connect_timeout, statement_timeout_}, interrupted_));
  PLUMB_RETURN_IF_ERROR(learn_server(*session));
  PLUMB_RETURN_IF_ERROR(prepare(*session));
  note_what_is_missing(*session);
  counters_.attach(*session, decide_local(*session));
  session_ = std::move(session);
  return Status::ok();
}

Status PgSampler::learn_server(Session& session) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(facts_query()));
  if (rows.count() != 1) return Status::internal("the server does not know its own database");
  ServerFacts facts;
  facts.version = static_cast<int>(rows.integer(0, rows.column("version")));
  facts.database_oid = rows.integer(0, rows.column("database_oid"));
  facts.max_connections = rows.integer(0, rows.column("max_connections"));
  facts.in_recovery = rows.boolean(0, rows.column("in_recovery"));
  facts.reads_all_stats = rows.boolean(0, rows.column("reads_all_stats"));
  facts.tracks_activities = rows.boolean(0, rows.column("tracks_activities"));
  facts.statements_loaded = rows.boolean(0, rows.column("statements_loaded"));
  facts.statements_schema = rows.text(0, rows.column("statements_schema"));
  if (facts.version < kOldestVersion)
    return Status::unsupported("PostgreSQL at " + session.endpoint() + " is version " +
                               std::to_string(facts.version / 10000) +
                               "; pg_stats reads version 12 and later");
  if (facts.has_statements()) {
    PLUMB_ASSIGN_OR_RETURN(const Rows names, session.query(statements_columns_query(facts)));
    for (int r = 0; r < names.count(); ++r) facts.statements_columns.emplace(names.text(r, 0));
  }
  facts_ = std::move(facts);
  return Status::ok();
}

Status PgSampler::prepare(Session& session) {
  PLUMB_RETURN_IF_ERROR(session.prepare(kActivityStatement, activity_query(facts_)));
  PLUMB_RETURN_IF_ERROR(session.prepare(kCountersStatement, counters_query(facts_)));
  return session.prepare(kBlockingStatement, blocking_query(facts_));
}

void PgSampler::note_what_is_missing(const Session& session) {
  health_.clear_all();
  const std::string create =
      "CREATE EXTENSION pg_stat_statements; in database \"" + session.database() + "\"";
  if (!facts_.reads_all_stats)
    health_.note("role",
                 "role \"" + session.user() +
                     "\" sees only its own sessions and statements: GRANT pg_monitor TO \"" +
                     session.user() + "\";");
  if (!facts_.statements_loaded) {
    health_.note("statements",
                 "no statement can be named, since pg_stat_statements is not loaded: add it to "
                 "shared_preload_libraries, restart PostgreSQL, and run " +
                     create);
  } else if (facts_.statements_schema.empty()) {
    health_.note("statements", "no statement can be named: run " + create);
  }
  if (!facts_.tracks_activities)
    health_.note("activities", "sessions' states are hidden: set track_activities = on");
  if (facts_.version < 140000)
    health_.note("version", "PostgreSQL " + std::to_string(facts_.version / 10000) +
                                " keeps no active_time, so database time is a lower bound from "
                                "samples and statements");
}

bool PgSampler::decide_local(const Session& session) {
  if (local_ == Local::kNo) return false;
  if (local_ == Local::kYes) {
    if (proc_.sched_times(session.backend_pid())) return true;
    health_.note("local", "local is yes, but /proc/" + std::to_string(session.backend_pid()) +
                              "/schedstat of the server's process cannot be read here");
    return false;
  }
  return session.over_loopback() && proc_.is_backend_of(session.backend_pid(), session.database());
}

Status PgSampler::start() {
  PLUMB_RETURN_IF_ERROR(activity_.declare());
  started_ = true;
  settle("pg_settings", emit_settings());
  health_.publish();
  return Status::ok();
}

Status PgSampler::emit_settings() {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session_->query(settings_query()));
  TableJson table("PostgreSQL settings", {{"setting", "Setting"}, {"value", "Value"}});
  for (int r = 0; r < rows.count(); ++r)
    table.add({std::string(rows.text(r, 0)), std::string(rows.text(r, 1))});
  return host().table("pg_settings", table.text());
}

Status PgSampler::collect() {
  if (!session_) reconnect_when_due();
  if (!session_) return Status::ok();
  const Result<int64_t> waiters = activity_.read(*session_);
  settle("pg_stat_activity", waiters.status());
  if (session_ && waiters.is_ok()) settle("lock chains", blocking_.tick(*session_, *waiters));
  if (const int64_t now = host().now_ns(); session_ && now >= next_counters_ns_) {
    next_counters_ns_ = next_second(next_counters_ns_, now);
    settle("counters", counters_.read(*session_, facts_));
  }
  if (session_ && growth_->due()) {
    settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
    PLUMB_RETURN_IF_ERROR(activity_.emit_table());
    PLUMB_RETURN_IF_ERROR(blocking_.emit_table());
  }
  health_.publish();
  return Status::ok();
}

Status PgSampler::stage(const Stage& stage) {
  end_stretch(stage.start_ns);
  if (stage.kind != PLUMB_STAGE_STEADY) return Status::ok();
  activity_.clear();
  blocking_.clear();
  growth_->begin(stage.start_ns);
  if (session_) settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
  health_.publish();
  return Status::ok();
}

void PgSampler::end_stretch(int64_t end_ns) {
  if (!growth_ || !growth_->open()) return;
  if (session_) settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
  settle("statements and tables", growth_->finish(end_ns));
  settle("pg_waits", activity_.emit_table());
  settle("pg_blocking", blocking_.emit_table());
}

Status PgSampler::stop(int64_t deadline_ns) {
  if (stopped_) return Status::ok();
  stopped_ = true;
  if (!started_) {
    session_.reset();
    return Status::ok();
  }
  interrupted_.store(false, std::memory_order_relaxed);
  const int64_t now = host().now_ns();
  // When the last readings cannot be had in time, what was read before has to do.
  if (session_)
    session_->wait_no_longer_than(std::chrono::steady_clock::now() +
                                  std::chrono::nanoseconds(deadline_ns - now) - kStopMargin);
  if (growth_->open()) {
    end_stretch(now);
  } else if (session_) {
    settle("counters", counters_.read(*session_, facts_));
  }
  health_.publish();
  session_.reset();
  return Status::ok();
}

void PgSampler::settle(const char* what, const Status& status) {
  const std::string subject = std::string("reading ") + what;
  if (status.is_ok()) {
    health_.clear(subject);
    return;
  }
  if (session_ && !session_->alive()) {
    lose_session(status.message());
    return;
  }
  if (status.code() == PLUMB_DEADLINE_EXCEEDED) {
    // A busy server makes a reading late now and then; that is the load's doing and no blindness.
    ++slow_readings_;
    const int64_t now = host().now_ns();
    if (now < next_slow_log_ns_) return;
    next_slow_log_ns_ = now + 10 * kSecondNs;
    host().log(PLUMB_WARNING, "the server was too slow to answer " +
                                  std::to_string(slow_readings_) + " times so far; last " +
                                  subject + ": " + status.message());
    return;
  }
  health_.note(subject, subject + " failed: " + status.message());
}

void PgSampler::lose_session(const std::string& reason) {
  session_.reset();
  blocking_.pause();
  lost_ns_ = host().now_ns();
  // At once at first: after an interrupt the server is still there.
  next_attempt_ns_ = lost_ns_;
  if (interrupted_.exchange(false, std::memory_order_relaxed)) return;
  health_.dark(reason);
  health_.publish();
  (void)host().event(PLUMB_WARNING, "database-lost", reason + "; trying again every second");
}

void PgSampler::reconnect_when_due() {
  const int64_t now = host().now_ns();
  if (now < next_attempt_ns_) return;
  next_attempt_ns_ = now + kSecondNs;
  const Status status = open(kReconnect);
  if (!status.is_ok()) {
    session_.reset();
    health_.dark(status.message());
    health_.publish();
    return;
  }
  health_.seeing();
  health_.publish();
  const int64_t seconds = (host().now_ns() - lost_ns_) / kSecondNs;
  (void)host().event(PLUMB_INFO, "database-back",
                     "connected to PostgreSQL at " + session_->endpoint() + " again after " +
                         std::to_string(seconds) + " s");
}

}  // namespace plumb::pg_stats
