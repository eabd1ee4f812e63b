#include "plugins/pg_stats/activity_probe.h"

#include <algorithm>
#include <vector>

#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

// Statement ids without normalisation are endless; memory is not.
constexpr size_t kMostStatements = 5000;
constexpr const char* kRunning = "running or runnable";

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
  return Status::ok();
}

Result<int64_t> ActivityProbe::read(Session& session) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.run(kActivityStatement));
  std::array<double, kSessionClasses> counts{};
  for (int r = 0; r < rows.count(); ++r) {
    const std::string_view type = rows.text(r, 1);
    const std::string_view event = rows.text(r, 2);
    const auto c = classify_session(rows.text(r, 0), type, event);
    if (!c) continue;
    const double sessions = rows.number(r, 4);
    counts[static_cast<size_t>(*c)] += sessions;
    if (*c == SessionClass::kIdle || *c == SessionClass::kIdleInTransaction) continue;
    std::string name = *c == SessionClass::kCpu ? std::string(kRunning)
                                                : std::string(type) + ":" + std::string(event);
    account(*c, std::move(name), rows.integer(r, 3), sessions);
  }
  ++ticks_;
  const int64_t now = host_.now_ns();
  std::vector<plumb_sample> samples;
  samples.reserve(kSessionClasses + 1);
  for (size_t c = 0; c < kSessionClasses; ++c)
    samples.push_back({sessions_[c].id, 0, now, counts[c]});
  const double waiters = counts[static_cast<size_t>(SessionClass::kLock)];
  samples.push_back({lock_waiters_.id, 0, now, waiters});
  PLUMB_RETURN_IF_ERROR(host_.emit(samples));
  return static_cast<int64_t>(waiters);
}

void ActivityProbe::account(SessionClass c, std::string event, int64_t query_id, double sessions) {
  if (query_id != 0 &&
      (seen_by_statement_.size() < kMostStatements || seen_by_statement_.contains(query_id)))
    seen_by_statement_[query_id][event] += sessions;
  seen_[{c, std::move(event)}] += sessions;
}

void ActivityProbe::clear() {
  ticks_ = 0;
  seen_.clear();
  seen_by_statement_.clear();
}

Status ActivityProbe::emit_table() const {
  if (ticks_ == 0) return Status::ok();
  std::vector<std::pair<EventKey, double>> rows(seen_.begin(), seen_.end());
  std::ranges::stable_sort(rows, std::greater<>{}, [](const auto& row) { return row.second; });
  TableJson table("What active sessions waited on",
                  {{"event", "Event"}, {"class", "Class"}, {"sessions", "Average sessions"}});
  for (const auto& [key, session_ticks] : rows)
    table.add({key.event, session_class_name(key.session_class),
               rounded(session_ticks / static_cast<double>(ticks_))});
  return host_.table("pg_waits", table.text());
}

ActivityProbe::StatementLoad ActivityProbe::statement_load(int64_t query_id) const {
  StatementLoad load;
  const auto found = seen_by_statement_.find(query_id);
  if (found == seen_by_statement_.end() || ticks_ == 0) return load;
  double most = 0;
  for (const auto& [event, session_ticks] : found->second) {
    load.sessions += session_ticks / static_cast<double>(ticks_);
    if (session_ticks > most) {
      most = session_ticks;
      load.main_event = event;
    }
  }
  return load;
}

}  // namespace plumb::pg_stats
