#include "sqlite_stats.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "descriptor.h"
#include "durations.h"
#include "tables.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kTablesEvery = 5 * kSecond;
constexpr int64_t kFindEvery = 5 * kSecond;
constexpr int64_t kChoresEvery = 100 * kMillisecond;
constexpr int64_t kLookEvery = 50 * kMillisecond;
constexpr int64_t kLookAtLeastEvery = 250 * kMillisecond;
constexpr int64_t kIdleLookEvery = 500 * kMillisecond;
// What grows with the machine or the application is done the more seldom the longer it takes, so
// that it never needs more than a 300th of a core.
constexpr int64_t kCostFactor = 300;

// plumb-sqlite-inspect reads it later, and no more of it.
constexpr off_t kMostStatementBytes = 1 << 20;

Status check_statements_file(const std::string& path) {
  const auto bad = [&path](const std::string& why) {
    return Status::invalid_argument("sqlite_stats: option statements: " + path + " " + why);
  };
  // Opening a pipe would otherwise wait for somebody who writes into it.
  const Descriptor file = Descriptor::open(path);
  struct stat what {};
  if (!file.valid() || ::fstat(file.get(), &what) != 0)
    return bad(std::string("cannot be read: ") + std::strerror(errno));
  if (!S_ISREG(what.st_mode)) return bad("is no file");
  if (what.st_size > kMostStatementBytes) return bad("has more than 1 MiB");
  return Status::ok();
}

}  // namespace

Status SqliteStats::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(paths_, WatchedPaths::parse(config.string("database")));
  const std::string statements = config.string("statements");
  if (config.boolean("inspect", true)) {
    if (!statements.empty()) PLUMB_RETURN_IF_ERROR(check_statements_file(statements));
    inspections_ = std::make_unique<Inspections>(host(), statements);
  } else if (!statements.empty()) {
    return Status::invalid_argument(
        "sqlite_stats: option statements needs inspect, which is set to false");
  }
  return Status::ok();
}

Status SqliteStats::start() {
  locks_file_ = proc::KeptFile(root_.proc + "/locks");
  if (inspections_) inspections_->start();
  const int64_t now = host().now_ns();
  PLUMB_RETURN_IF_ERROR(watch_new_paths());
  next_find_ns_ = now + kFindEvery;
  next_report_ns_ = now + kSecond;
  next_tables_ns_ = now + kTablesEvery;
  return collect();
}

Status SqliteStats::watch_new_paths() {
  const std::vector<std::string>& paths = paths_->find();
  for (size_t i = watches_.size(); i < paths.size(); ++i) {
    auto watch = std::make_unique<DatabaseWatch>(host(), paths[i], root_, reading_, walk_);
    PLUMB_RETURN_IF_ERROR(watch->declare());
    watches_.push_back(std::move(watch));
  }
  return Status::ok();
}

Status SqliteStats::collect() {
  const int64_t now = host().now_ns();
  if (paths_->has_patterns() && now >= next_find_ns_) {
    next_find_ns_ = now + kFindEvery;
    PLUMB_RETURN_IF_ERROR(watch_new_paths());
  }
  PLUMB_RETURN_IF_ERROR(tick(now));
  if (now >= next_chores_ns_) {
    next_chores_ns_ = now + kChoresEvery;
    if (inspections_) PLUMB_RETURN_IF_ERROR(inspections_->tick(now, watches_));
    tell_health();
  }
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
  const int64_t now = host().now_ns();
  PLUMB_RETURN_IF_ERROR(tick(now));
  for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->flush(now));
  return Status::ok();
}

Status SqliteStats::tick(int64_t now_ns) {
  // One listing serves all.
  const bool wanted = std::any_of(watches_.begin(), watches_.end(),
                                  [](const auto& watch) { return watch->needs_listing(); });
  const bool listed = wanted && read_listing();
  for (const auto& watch : watches_)
    PLUMB_RETURN_IF_ERROR(watch->tick(now_ns, listed ? &locks_ : nullptr));
  if (now_ns >= next_look_ns_) {
    const int64_t begun = host().now_ns();
    look_at_threads(now_ns);
    const int64_t took = host().now_ns() - begun;
    next_look_ns_ = now_ns + std::clamp(took * kCostFactor, kLookEvery, kLookAtLeastEvery);
  }
  return Status::ok();
}

void SqliteStats::look_at_threads(int64_t now_ns) {
  contentions_.clear();
  contended_.clear();
  for (const auto& watch : watches_) watch->want_openers(now_ns);
  for (const auto& watch : watches_) {
    if (const auto contention = watch->contention(now_ns)) {
      contentions_.push_back(*contention);
      contended_.push_back(watch.get());
    } else {
      watch->take_idle_look(now_ns);
    }
  }
  const auto& waiting = waiters_.scan(now_ns, contentions_);
  for (size_t i = 0; i < contended_.size(); ++i)
    contended_[i]->take_look(now_ns, waiting[i], waiters_.syncs());
  if (waiters_.threads() == 0 || now_ns < next_idle_look_ns_) return;
  next_idle_look_ns_ = now_ns + kIdleLookEvery;
  waiters_.learn_idle(now_ns);
}

Status SqliteStats::stop(int64_t deadline_ns) {
  if (!paths_ || next_report_ns_ == 0) return Status::ok();
  PLUMB_RETURN_IF_ERROR(tick(host().now_ns()));
  for (const auto& watch : watches_) PLUMB_RETURN_IF_ERROR(watch->finish());
  if (inspections_) PLUMB_RETURN_IF_ERROR(inspections_->finish(deadline_ns, watches_));
  PLUMB_RETURN_IF_ERROR(emit_tables());
  inspections_.reset();
  watches_.clear();
  locks_file_.close();
  next_report_ns_ = 0;
  return Status::ok();
}

bool SqliteStats::read_listing() {
  const proc::Text text = locks_file_.read(buffer_);
  if (!text.ok()) {
    locks_problem_ = "cannot read " + locks_file_.path() + ": " + std::strerror(text.error) +
                     "; without it SQLite's locks cannot be watched on this file system";
    return false;
  }
  locks_problem_.clear();
  inodes_.clear();
  for (const auto& watch : watches_) watch->add_inodes(inodes_);
  std::sort(inodes_.begin(), inodes_.end());
  parse_locks(text.text, inodes_, locks_);
  return true;
}

Status SqliteStats::emit_tables() {
  nlohmann::json holders = holders_table();
  nlohmann::json readers = readers_table();
  nlohmann::json databases = databases_table();
  for (const auto& watch : watches_) {
    watch->add_holder_rows(holders["rows"]);
    watch->add_reader_rows(readers["rows"]);
    watch->add_database_row(databases["rows"]);
  }
  constexpr size_t kShareColumn = 4;
  constexpr size_t kHeldBackColumn = 5;
  keep_largest(holders, kShareColumn);
  keep_largest(readers, kHeldBackColumn);
  PLUMB_RETURN_IF_ERROR(tables_.emit("sqlite_lock_holders", holders));
  if (!readers["rows"].empty()) PLUMB_RETURN_IF_ERROR(tables_.emit("sqlite_readers", readers));
  PLUMB_RETURN_IF_ERROR(tables_.emit("sqlite_databases", databases));
  return inspections_ ? inspections_->emit_tables() : Status::ok();
}

void SqliteStats::tell_health() {
  std::string problem;
  const auto add = [&problem](const std::string& text) {
    if (!text.empty()) problem += (problem.empty() ? "" : "; ") + text;
  };
  add(locks_problem_);
  for (const auto& watch : watches_) {
    add(watch->problem());
    add(watch->cut_off());
  }
  if (watches_.empty()) {
    for (const std::string& pattern : paths_->patterns())
      add("waiting for an SQLite database that matches " + pattern);
  }
  if (paths_->left_out() > 0)
    add(std::to_string(paths_->left_out()) + " more databases match, and at most " +
        std::to_string(WatchedPaths::kMostDatabases) +
        " are watched: name those that matter in the option database");
  if (waiters_.truncated())
    add("more than " + std::to_string(WaiterWatch::kMostThreads) +
        " threads use the databases: waiters are a lower bound");
  if (inspections_) add(inspections_->problem());
  if (problem == told_problem_) return;
  const bool sees = std::any_of(watches_.begin(), watches_.end(),
                                [](const auto& watch) { return watch->is_there(); });
  host().health(!sees             ? PLUMB_HEALTH_DARK
                : problem.empty() ? PLUMB_HEALTH_OK
                                  : PLUMB_HEALTH_DEGRADED,
                problem);
  told_problem_ = std::move(problem);
}

}  // namespace plumb::sqlite_stats
