#include "plugins/pg_stats/activity_probe.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

// Statement ids without normalisation are endless; memory is not.
constexpr size_t kMostStatements = 5000;
constexpr const char* kRunning = "running or runnable";
// Application servers, not people's machines; what is more is summed under one name.
constexpr size_t kMostClients = 64;
constexpr const char* kOtherClients = "other";
constexpr const char* kSocketFile = "local";
// A reading after a gap (a lost connection, a stalled host) says nothing of most of it.
constexpr int64_t kLongestNs = 2'500'000'000;
// Looking at one busy session alone costs the server as much as four in one go.
constexpr double kIdlePerBusy = 6;
constexpr int64_t kFirstNs = 100'000'000;

uint32_t part_of(SessionClass c) {
  switch (c) {
    case SessionClass::kCpu:
      return PLUMB_PART_BUSY;
    case SessionClass::kIdle:
    case SessionClass::kIdleInTransaction:
      return PLUMB_PART_NONE;
    default:
      return PLUMB_PART_WAIT;
  }
}

}  // namespace

Status ActivityProbe::declare() {
  for (const SessionClass c : all_session_classes()) {
    PLUMB_ASSIGN_OR_RETURN(
        sessions_[static_cast<size_t>(c)],
        host_.declare({.name = "pg_sessions",
                       .unit = "sessions",
                       .layer = PLUMB_LAYER_DATABASE,
                       .part = part_of(c),
                       .help = "Client sessions of the database by what they do at an instant",
                       .labels = {{"class", std::string(session_class_name(c))}}}));
  }
  PLUMB_ASSIGN_OR_RETURN(
      lock_waiters_,
      host_.declare({.name = "pg_lock_waiters",
                     .unit = "sessions",
                     .layer = PLUMB_LAYER_DATABASE,
                     .part = PLUMB_PART_SATURATION,
                     .help = "Client sessions waiting for a heavyweight lock at an instant"}));
  PLUMB_ASSIGN_OR_RETURN(
      busy_, host_.declare({.name = "pg_busy_connections",
                            .unit = "connections",
                            .layer = PLUMB_LAYER_DATABASE,
                            .part = PLUMB_PART_BUSY,
                            .help = "Client connections that are active or idle in a transaction "
                                    "at an instant"}));
  return Status::ok();
}

Result<int64_t> ActivityProbe::read(Session& session, bool may_skip_idle) {
  stands_ = false;
  PLUMB_ASSIGN_OR_RETURN(
      const Rows rows,
      session.run(may_skip_idle && few_busy_ ? kFewBusyStatement : kActivityStatement));
  const int64_t now = host_.now_ns();
  const double seconds = seconds_until(now);
  std::array<double, kSessionClasses> counts{};
  for (auto& [address, client] : clients_) client.busy = 0;
  for (int r = 0; r < rows.count(); ++r) {
    const std::string_view type = rows.text(r, 1);
    const std::string_view event = rows.text(r, 2);
    const auto c = classify_session(rows.text(r, 0), type, event);
    if (!c) continue;
    const double sessions = rows.number(r, 5);
    counts[static_cast<size_t>(*c)] += sessions;
    if (*c == SessionClass::kIdle) continue;
    PLUMB_RETURN_IF_ERROR(count_busy(rows.text(r, 4), sessions));
    if (*c == SessionClass::kIdleInTransaction) continue;
    std::string name = *c == SessionClass::kCpu ? std::string(kRunning)
                                                : std::string(type) + ":" + std::string(event);
    account(*c, std::move(name), rows.integer(r, 3), sessions * seconds);
  }
  seconds_ += seconds;
  ++readings_;
  count_idle(rows, counts);
  fill_samples(counts);
  const double idle = counts[static_cast<size_t>(SessionClass::kIdle)];
  const double busy = std::accumulate(counts.begin(), counts.end(), -idle);
  few_busy_ = busy * kIdlePerBusy <= idle;
  stands_ = true;
  PLUMB_RETURN_IF_ERROR(hold());
  return static_cast<int64_t>(counts[static_cast<size_t>(SessionClass::kLock)]);
}

void ActivityProbe::count_idle(const Rows& rows,
                               std::array<double, kSessionClasses>& counts) const {
  if (rows.count() == 0 || rows.is_null(0, 6)) return;
  double& idle = counts[static_cast<size_t>(SessionClass::kIdle)];
  idle = std::max(0.0, idle + rows.number(0, 6) - idle_others_);
}

double ActivityProbe::seconds_until(int64_t now) {
  const int64_t since =
      last_ns_ == 0 ? kFirstNs : std::clamp<int64_t>(now - last_ns_, 0, kLongestNs);
  last_ns_ = now;
  return static_cast<double>(since) / 1e9;
}

Status ActivityProbe::count_busy(std::string_view client, double sessions) {
  std::string_view name = client.empty() ? kSocketFile : client;
  auto at = clients_.find(name);
  if (at == clients_.end()) {
    if (clients_.size() >= kMostClients) name = kOtherClients;
    PLUMB_ASSIGN_OR_RETURN(
        const Series series,
        host_.declare({.name = "pg_busy_connections",
                       .unit = "connections",
                       .layer = PLUMB_LAYER_DATABASE,
                       .part = PLUMB_PART_BUSY,
                       .help = "Connections from one client address that are active or idle in a "
                               "transaction at an instant",
                       .labels = {{"client", std::string(name)}}}));
    at = clients_.try_emplace(std::string(name), Client{series}).first;
  }
  at->second.busy += sessions;
  return Status::ok();
}

void ActivityProbe::fill_samples(const std::array<double, kSessionClasses>& counts) {
  samples_.clear();
  double busy = 0;
  for (size_t c = 0; c < kSessionClasses; ++c) {
    samples_.push_back({sessions_[c].id, 0, 0, counts[c]});
    if (c != static_cast<size_t>(SessionClass::kIdle)) busy += counts[c];
  }
  samples_.push_back({lock_waiters_.id, 0, 0, counts[static_cast<size_t>(SessionClass::kLock)]});
  samples_.push_back({busy_.id, 0, 0, busy});
  for (const auto& [address, client] : clients_)
    samples_.push_back({client.series.id, 0, 0, client.busy});
}

Status ActivityProbe::hold() {
  if (!stands_) return Status::ok();
  const int64_t now = host_.now_ns();
  for (plumb_sample& sample : samples_) sample.time_ns = now;
  return host_.emit(samples_);
}

int64_t ActivityProbe::take_readings() { return std::exchange(readings_, 0); }

void ActivityProbe::account(SessionClass c, std::string event, int64_t query_id,
                            double session_seconds) {
  if (query_id != 0 &&
      (seen_by_statement_.size() < kMostStatements || seen_by_statement_.contains(query_id)))
    seen_by_statement_[query_id][event] += session_seconds;
  seen_[{c, std::move(event)}] += session_seconds;
}

void ActivityProbe::clear() {
  seconds_ = 0;
  seen_.clear();
  seen_by_statement_.clear();
}

Status ActivityProbe::emit_table() const {
  if (seconds_ <= 0) return Status::ok();
  std::vector<std::pair<EventKey, double>> rows(seen_.begin(), seen_.end());
  std::ranges::stable_sort(rows, std::greater<>{}, [](const auto& row) { return row.second; });
  TableJson table("What active sessions waited on",
                  {{"event", "Event"}, {"class", "Class"}, {"sessions", "Average sessions"}});
  for (const auto& [key, session_seconds] : rows)
    table.add(
        {key.event, session_class_name(key.session_class), rounded(session_seconds / seconds_)});
  return host_.table("pg_waits", table.text());
}

ActivityProbe::StatementLoad ActivityProbe::statement_load(int64_t query_id) const {
  StatementLoad load;
  const auto found = seen_by_statement_.find(query_id);
  if (found == seen_by_statement_.end() || seconds_ <= 0) return load;
  double most = 0;
  for (const auto& [event, session_seconds] : found->second) {
    load.sessions += session_seconds / seconds_;
    if (session_seconds > most) {
      most = session_seconds;
      load.main_event = event;
    }
  }
  return load;
}

}  // namespace plumb::pg_stats
