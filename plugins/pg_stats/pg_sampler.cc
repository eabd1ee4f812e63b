#include "plugins/pg_stats/pg_sampler.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "plugins/pg_stats/queries.h"

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kSecondNs = 1'000'000'000;
// The engine takes a plugin for hung that is in collect for 2 s, or in stage for 10 s.
constexpr milliseconds kCollectTime(1500);
constexpr milliseconds kStageTime(6000);
constexpr milliseconds kConfigureTime(4500);
constexpr milliseconds kStartTime(3000);
constexpr milliseconds kStopMargin(100);
// With less of its time left, a tick begins nothing that can wait.
constexpr milliseconds kWaitingTime(1000);
// Parts of a call's time: until when the last reading of a stretch is done, until when plans are
// asked for.
constexpr double kLastReadingUntil = 0.5;
constexpr double kPlansUntil = 0.7;
constexpr double kDefaultBudget = 0.003;
constexpr double kChoresPart = 1.0 / 3;
// Plans are asked for in the last fifth of the steady stage.
constexpr int64_t kPlansPart = 5;
constexpr int64_t kPlansAtMostBeforeNs = 3 * kSecondNs;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

int64_t next_second(int64_t due, int64_t now) {
  // Keeps the beat, and skips what was missed.
  return due + kSecondNs > now ? due + kSecondNs : now + kSecondNs;
}

// The plan is to be judged, and nothing to be connected to.
bool is_check_only(std::string_view document) {
  const auto parsed = nlohmann::json::parse(document, nullptr, false);
  return parsed.is_object() && parsed.value("check_only", false);
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f%%", share * 100);
  return text;
}

}  // namespace

PgSampler::PgSampler(Host h)
    : Sampler(h),
      health_(h),
      processes_(proc::Root()),
      activity_(h),
      blocking_(h),
      counters_(h, proc::Root()),
      cluster_(h),
      indexes_(h),
      plans_(h),
      setup_(h),
      cost_(proc::Root()) {}

Status PgSampler::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(Dsn dsn, Dsn::parse(config.string("dsn")));
  dsn_ = std::move(dsn);
  statement_timeout_ = std::chrono::duration_cast<milliseconds>(
      config.duration("statement_timeout", std::chrono::seconds(1)));
  growth_.emplace(host(), static_cast<size_t>(std::max<int64_t>(1, config.integer("top", 15))));
  budget_ = config.number("budget", kDefaultBudget);
  pace_.emplace(budget_);
  chores_.emplace(budget_ * kChoresPart);
  plan_chores();
  const std::string local = config.string("local", "auto");
  local_ = local == "yes" ? Local::kYes : local == "no" ? Local::kNo : Local::kAuto;
  if (is_check_only(config.document())) return Status::ok();
  begin_call(kConfigureTime);
  const Status status = open();
  return opening_ ? give_up_opening() : status;
}

void PgSampler::begin_call(milliseconds time) {
  call_begin_ = Session::Clock::now();
  call_time_ = time;
  if (session_) session_->end_by(after(1));
}

Session::Clock::time_point PgSampler::after(double part) const {
  return call_begin_ + std::chrono::duration_cast<Session::Clock::duration>(call_time_ * part);
}

Status PgSampler::open() {
  if (!opening_)
    opening_ = {std::make_unique<Session>(*dsn_, statement_timeout_, interrupted_),
                Session::Clock::now()};
  opening_->session->end_by(after(1));
  const Status status = set_up();
  if (status.code() == PLUMB_DEADLINE_EXCEEDED && opening_->session->alive()) return status;
  std::unique_ptr<Session> session = std::move(opening_->session);
  opening_.reset();
  if (!status.is_ok()) {
    counters_.detach(*session);
    return status;
  }
  const bool local = decide_local(*session);
  counters_.attach(*session, local);
  cost_.attach(*session, local);
  cost_taken_in_ = cost_.seconds();
  session_ = std::move(session);
  learn_again_ = false;
  note_what_is_missing();
  return Status::ok();
}

Status PgSampler::set_up() {
  Session& session = *opening_->session;
  const auto learn = [&]() -> Status {
    PLUMB_ASSIGN_OR_RETURN(facts_, learn_facts(session));
    return Status::ok();
  };
  const std::function<Status()> steps[] = {
      [&] { return session.connect(); },
      learn,
      [&] { return session.query(modest_session_query()).status(); },
      [&] { return session.prepare(kActivityStatement, activity_query(facts_)); },
      [&] {
        return facts_.reads_all_stats ? session.prepare(kFewBusyStatement, few_busy_query(facts_))
                                      : Status::ok();
      },
      [&] { return session.prepare(kCountersStatement, counters_query(facts_)); },
      [&] { return session.prepare(kBlockingStatement, blocking_query(facts_)); },
  };
  for (size_t& done = opening_->done; done < std::size(steps); ++done)
    PLUMB_RETURN_IF_ERROR(steps[done]());
  return Status::ok();
}

Status PgSampler::give_up_opening() {
  const auto taken = std::chrono::ceil<milliseconds>(Session::Clock::now() - opening_->begun);
  const Status status = Status::unavailable(
      "PostgreSQL at " + opening_->session->endpoint() + " did not answer within " +
      std::to_string(taken.count()) + " ms: check host and port in dsn, and the firewall between");
  counters_.detach(*opening_->session);
  opening_.reset();
  return status;
}

void PgSampler::note_what_is_missing() {
  health_.clear_all();
  for (const MissingAbility& missing : missing_abilities(facts_)) {
    if (missing.degrades) {
      health_.note(missing.subject, sentence_of(missing));
    } else {
      health_.hint(missing.ability + " (" + missing.why + ")");
    }
  }
  if (local_ == Local::kYes && !cost_.local())
    health_.note("local", "local is yes, but /proc/" + std::to_string(session_->backend_pid()) +
                              "/schedstat of the server's process cannot be read here");
}

void PgSampler::learn_statements_again() {
  learn_again_ = false;
  const Result<ServerFacts> now = learn_facts(*session_);
  settle("what the server has", now.status());
  if (!now.is_ok() || !facts_.take_statements_from(*now)) return;
  note_what_is_missing();
  settle("pg_missing", setup_.emit_missing(missing_abilities(facts_)));
}

bool PgSampler::decide_local(const Session& session) {
  const int pid = session.backend_pid();
  if (local_ == Local::kNo) return false;
  if (local_ == Local::kYes) return processes_.times(pid).has_value();
  return session.over_loopback() && processes_.is_backend_of(pid, session.database());
}

void PgSampler::plan_chores() {
  const auto always = [] { return true; };
  const auto add = [&](const char* subject, int64_t seconds, std::function<bool()> wanted,
                       std::function<Status()> read) {
    chores_->add({subject, seconds * kSecondNs, std::move(wanted), std::move(read)});
  };
  add("background writer", 5, always,
      [this] { return cluster_.read_background(*session_, facts_); });
  add("replication", 5, always, [this] { return cluster_.read_replication(*session_, facts_); });
  add("connections", 10, always, [this] { return cluster_.read_connections(*session_, facts_); });
  add(
      "pg_stat_io", 10, [this] { return facts_.has("pg_stat_io"); },
      [this] { return cluster_.read_io(*session_, facts_); });
  add(
      "statements", 10, [this] { return growth_->open(); },
      [this] {
        const Status status = growth_->refresh_statements(*session_, facts_, activity_);
        settle("pg_waits", activity_.emit_table());
        settle("pg_blocking", blocking_.emit_table());
        return status;
      });
  add(
      "tables", 10, [this] { return growth_->open(); },
      [this] { return growth_->refresh_tables(*session_); });
  add("database size", 30, always, [this] {
    PLUMB_RETURN_IF_ERROR(cluster_.read_size(*session_, facts_));
    return setup_.emit_settings(cluster_.database_bytes(), sampling_text());
  });
  add(
      "indexes", 1, [this] { return !indexes_.done(); },
      [this] { return indexes_.step(*session_, facts_); });
}

Status PgSampler::start() {
  begin_call(kStartTime);
  PLUMB_RETURN_IF_ERROR(activity_.declare());
  started_ = true;
  read_something_dear_ = true;
  (void)watch_.connected({facts_.started, facts_.recovered, facts_.in_recovery});
  settle("pg_missing", setup_.emit_missing(missing_abilities(facts_)));
  const Status read = setup_.read_settings(*session_);
  settle("pg_settings", read.is_ok() ? setup_.emit_settings(std::nullopt, sampling_text()) : read);
  health_.publish();
  return Status::ok();
}

Status PgSampler::collect() {
  begin_call(kCollectTime);
  if (!session_) reconnect_when_due();
  if (!session_) return Status::ok();
  const int64_t now = host().now_ns();
  take_in_cost(now);
  read_sessions(now);
  if (session_ && now >= next_counters_ns_) {
    next_counters_ns_ = next_second(next_counters_ns_, now);
    read_counters();
  }
  if (session_ && session_->left() >= kWaitingTime) do_what_can_wait(now);
  health_.publish();
  return Status::ok();
}

void PgSampler::do_what_can_wait(int64_t now) {
  if (learn_again_) {
    read_something_dear_ = true;
    learn_statements_again();
  } else if (growth_->open() && (plans_.waiting() || (!plans_.began() && now >= plans_due_ns_))) {
    ask_for_plans();
  } else if (const auto done = chores_->do_one(now)) {
    read_something_dear_ = true;
    settle(done->subject, done->status);
  }
}

void PgSampler::read_sessions(int64_t now) {
  if (!pace_->due(now)) {
    settle("pg_stat_activity", activity_.hold());
    return;
  }
  const Result<int64_t> waiters = activity_.read(*session_, facts_.reads_all_stats);
  settle("pg_stat_activity", waiters.status());
  if (session_ && waiters.is_ok())
    settle("lock chains", blocking_.tick(*session_, facts_, *waiters));
}

void PgSampler::read_counters() {
  const Result<ServerSigns> signs =
      counters_.read(*session_, facts_, {activity_.take_readings(), &cost_});
  settle("counters", signs.status());
  if (!signs.is_ok()) return;
  facts_.in_recovery = signs->in_recovery;
  activity_.set_idle_others(signs->idle_others);
  for (const ServerWatch::Event& event : watch_.look(*signs)) tell(event);
}

void PgSampler::tell(const ServerWatch::Event& event) {
  (void)host().event(PLUMB_WARNING, event.kind, event.message);
}

void PgSampler::take_in_cost(int64_t now) {
  cost_.update(*session_);
  const double spent = std::max(0.0, cost_.seconds() - cost_taken_in_);
  cost_taken_in_ = cost_.seconds();
  if (read_something_dear_) {
    const double usual = std::min(spent, usual_tick_cost_);
    chores_->charge(now, spent - usual);
    pace_->spent(usual);
  } else {
    usual_tick_cost_ += (spent - usual_tick_cost_) / 16;
    pace_->spent(spent);
  }
  read_something_dear_ = false;
  if (const auto change = pace_->judge(now, chores_->taken(now))) tell_pace(*change);
}

std::string PgSampler::sampling_text() const {
  const int64_t every = pace_->every_ticks();
  return every == 1 ? "at every tick" : "at one tick in " + std::to_string(every);
}

void PgSampler::tell_pace(const SamplingPace::Change& change) {
  const std::string cost =
      (cost_.local() ? "" : "at most ") + percent(change.share) + " of one core inside PostgreSQL";
  const std::string message =
      change.slower ? "looking at the sessions took " + cost + ", where " + percent(change.budget) +
                          " of the budget were left for it: from now on they are looked at " +
                          sampling_text() +
                          (change.at_its_slowest ? ", the least there is, whatever the budget" : "")
                    : "looking at the sessions took " + cost +
                          ": they are looked at more often again, " + sampling_text();
  (void)host().event(PLUMB_INFO, change.slower ? "sampling-slowed" : "sampling-quickened", message);
  settle("pg_settings", setup_.emit_settings(cluster_.database_bytes(), sampling_text()));
}

Status PgSampler::stage(const Stage& stage) {
  begin_call(kStageTime);
  end_stretch(stage.start_ns);
  if (stage.kind != PLUMB_STAGE_STEADY) return Status::ok();
  activity_.clear();
  blocking_.clear();
  plans_.clear();
  growth_->begin(stage.start_ns);
  plans_due_ns_ =
      stage.end_ns <= stage.start_ns
          ? kNever
          : stage.end_ns - std::clamp<int64_t>((stage.end_ns - stage.start_ns) / kPlansPart, 0,
                                               kPlansAtMostBeforeNs);
  read_something_dear_ = true;
  if (session_) learn_statements_again();
  if (session_) settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
  health_.publish();
  return Status::ok();
}

void PgSampler::ask_for_plans() {
  read_something_dear_ = true;
  if (plans_.began()) {
    settle("plans", plans_.step(*session_, after(kPlansUntil)));
    if (!plans_.waiting()) settle("plans", plans_.emit_table());
    return;
  }
  // Once: where nothing is suspected yet, the end of the stage looks again.
  plans_due_ns_ = kNever;
  settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
  if (session_)
    settle("plans", plans_.begin(*session_, facts_, growth_->suspects(), growth_->texts()));
}

void PgSampler::end_stretch(int64_t end_ns) {
  if (!growth_ || !growth_->open()) return;
  read_something_dear_ = true;
  if (session_) {
    session_->end_by(after(kLastReadingUntil));
    settle("statements and tables", growth_->refresh(*session_, facts_, activity_));
  }
  if (session_) session_->end_by(after(1));
  // A stage that was cut short, or that nobody gave an end.
  if (session_ && !plans_.began())
    settle("plans", plans_.begin(*session_, facts_, growth_->suspects(), growth_->texts()));
  const auto plans_until = after(kPlansUntil);
  while (session_ && plans_.waiting() && Session::Clock::now() < plans_until)
    settle("plans", plans_.step(*session_, plans_until));
  plans_.give_up();
  settle("plans", plans_.emit_table());
  settle("statements and tables", growth_->finish(end_ns));
  settle("pg_waits", activity_.emit_table());
  settle("pg_blocking", blocking_.emit_table());
  if (session_) settle("connections", cluster_.read_connections(*session_, facts_));
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
  const auto time = std::chrono::floor<milliseconds>(std::chrono::nanoseconds(deadline_ns - now));
  begin_call(std::clamp(time - kStopMargin, milliseconds(0), kStageTime));
  if (growth_->open()) {
    end_stretch(now);
  } else if (session_) {
    read_counters();
  }
  health_.publish();
  session_.reset();
  opening_.reset();
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
  // What was there when the server was asked what it has is gone.
  if (status.code() == PLUMB_NOT_FOUND) learn_again_ = true;
  health_.note(subject, subject + " failed: " + status.message());
}

void PgSampler::lose_session(const std::string& reason) {
  counters_.detach(*session_);
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
  if (!opening_ && host().now_ns() < next_attempt_ns_) return;
  Status status = open();
  if (opening_) {
    // A slow server, or a mute one: the next tick goes on.
    if (Session::Clock::now() < opening_->begun + kConfigureTime) return;
    status = give_up_opening();
  }
  if (!status.is_ok()) {
    next_attempt_ns_ = host().now_ns() + kSecondNs;
    health_.dark(status.message());
    health_.publish();
    return;
  }
  health_.seeing();
  health_.publish();
  take_in_arrival();
  settle("pg_missing", setup_.emit_missing(missing_abilities(facts_)));
  if (!session_) return;
  const int64_t seconds = (host().now_ns() - lost_ns_) / kSecondNs;
  (void)host().event(PLUMB_INFO, "database-back",
                     "connected to PostgreSQL at " + session_->endpoint() + " again after " +
                         std::to_string(seconds) + " s");
}

void PgSampler::take_in_arrival() {
  const ServerWatch::Arrival arrival =
      watch_.connected({facts_.started, facts_.recovered, facts_.in_recovery});
  cluster_.connected(arrival.same_counters);
  growth_->connected(arrival.same_counters);
  if (!arrival.same_counters) {
    counters_.restart();
    chores_->hurry();
    if (!indexes_.done()) indexes_ = IndexProbe(host());
  }
  if (arrival.event) tell(*arrival.event);
}

}  // namespace plumb::pg_stats
