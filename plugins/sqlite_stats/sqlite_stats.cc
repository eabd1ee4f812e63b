#include "sqlite_stats.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTablesEvery = 5 * kSecond;
constexpr size_t kMostLocksText = 4u << 20;
constexpr size_t kMostRows = 1000;

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Status SqliteStats::configure(const Config& config) {
  const std::string path = config.string("database");
  if (path.empty())
    return Status::invalid_argument(
        "sqlite_stats needs the option database: the path of the SQLite file to watch");
  paths_ = {path};
  return Status::ok();
}

Status SqliteStats::start() {
  locks_file_ = Descriptor::open(proc_root_ + "/locks");
  if (!locks_file_.valid())
    return Status::unavailable("cannot open " + proc_root_ + "/locks: " + std::strerror(errno) +
                               "; without it SQLite's locks cannot be watched");
  for (const std::string& path : paths_) {
    watches_.push_back(std::make_unique<DatabaseWatch>(host(), path, proc_root_));
    PLUMB_RETURN_IF_ERROR(watches_.back()->declare());
  }
  const int64_t now = host().now_ns();
  next_report_ns_ = now + kSecond;
  next_tables_ns_ = now + kTablesEvery;
  return collect();
}

Status SqliteStats::collect() {
  const int64_t now = host().now_ns();
  if (read_locks()) {
    for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->tick(now, locks_));
  }
  tell_health();
  if (now < next_report_ns_) return Status::ok();
  next_report_ns_ += kSecond;
  if (next_report_ns_ <= now) next_report_ns_ = now + kSecond;
  for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->report(now));
  if (now < next_tables_ns_) return Status::ok();
  next_tables_ns_ = now + kTablesEvery;
  return emit_tables();
}

// Stages are compared by how counters grew between their ends, so each end gets its own sample.
Status SqliteStats::stage(const Stage&) {
  for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->flush_commits(host().now_ns()));
  return Status::ok();
}

Status SqliteStats::stop(int64_t) {
  if (watches_.empty()) return Status::ok();
  for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->report(host().now_ns()));
  PLUMB_RETURN_IF_ERROR(emit_tables());
  watches_.clear();
  locks_file_.reset();
  return Status::ok();
}

bool SqliteStats::read_locks() {
  if (!locks_file_.read_all(locks_text_, kMostLocksText)) {
    locks_problem_ = "cannot read " + proc_root_ + "/locks: " + std::strerror(errno);
    return false;
  }
  locks_problem_.clear();
  parse_locks(locks_text_, locks_);
  return true;
}

Status SqliteStats::emit_tables() {
  nlohmann::json holders{{"title", "Who held SQLite's write lock"},
                         {"columns",
                          {{{"key", "database"}, {"title", "Database"}},
                           {{"key", "pid"}, {"title", "Process"}},
                           {{"key", "command"}, {"title", "Command"}},
                           {{"key", "lock"}, {"title", "Lock"}},
                           {{"key", "share"}, {"title", "Share of samples"}, {"unit", "ratio"}},
                           {{"key", "longest"}, {"title", "Longest hold"}, {"unit", "seconds"}}}},
                         {"rows", nlohmann::json::array()}};
  nlohmann::json databases{{"title", "SQLite databases"},
                           {"columns",
                            {{{"key", "database"}, {"title", "Database"}},
                             {{"key", "journal_mode"}, {"title", "Journal mode"}},
                             {{"key", "page_bytes"}, {"title", "Page size"}, {"unit", "bytes"}},
                             {{"key", "notes"}, {"title", "Notes"}}}},
                           {"rows", nlohmann::json::array()}};
  for (const auto& watch : watches_) {
    watch->add_holder_rows(holders["rows"]);
    watch->add_database_row(databases["rows"]);
  }
  auto& rows = holders["rows"];
  constexpr size_t kShareColumn = 4;
  std::sort(rows.begin(), rows.end(), [](const nlohmann::json& a, const nlohmann::json& b) {
    return a.at(kShareColumn) > b.at(kShareColumn);
  });
  if (rows.size() > kMostRows) rows.erase(rows.begin() + kMostRows, rows.end());
  PLUMB_RETURN_IF_ERROR(host().table("sqlite_lock_holders", to_text(holders)));
  return host().table("sqlite_databases", to_text(databases));
}

void SqliteStats::tell_health() {
  std::string problem = locks_problem_;
  for (const auto& watch : watches_) {
    if (watch->problem().empty()) continue;
    problem += (problem.empty() ? "" : "; ") + watch->problem();
  }
  if (problem == told_problem_) return;
  const uint32_t bad = locks_problem_.empty() ? PLUMB_HEALTH_DEGRADED : PLUMB_HEALTH_DARK;
  host().health(problem.empty() ? static_cast<uint32_t>(PLUMB_HEALTH_OK) : bad, problem);
  told_problem_ = std::move(problem);
}

}  // namespace plumb::sqlite_stats
