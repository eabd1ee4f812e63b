#include "database_watch.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "proc_walk.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kRefreshEvery = 100 * kMillisecond;
constexpr int64_t kLookEvery = 50 * kMillisecond;
constexpr int64_t kLookAtLeastEvery = 250 * kMillisecond;
constexpr int64_t kIdleLookEvery = 500 * kMillisecond;
constexpr int64_t kWalkEvery = 1'000 * kMillisecond;
// What grows with the machine or the application is done the more seldom the longer it takes, so
// that it never needs more than a 300th of a core.
constexpr int64_t kCostFactor = 300;
// SQLite's busy handler sleeps at most 100 ms between two tries: so long after the lock was freed
// somebody may still be asleep for it, and no longer.
constexpr int64_t kLongestBusySleep = 110 * kMillisecond;
constexpr int64_t kSurelyFree = 200 * kMillisecond;
constexpr int64_t kLongHold = 1'000 * kMillisecond;

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

double rounded(double value, double unit) { return std::round(value / unit) * unit; }

}  // namespace

DatabaseWatch::DatabaseWatch(const Host& host, std::string path, std::string proc_root)
    : host_(host),
      path_(std::move(path)),
      proc_root_(std::move(proc_root)),
      files_(path_),
      waiters_(proc_root_) {}

Status DatabaseWatch::declare() {
  const std::vector<std::pair<std::string, std::string>> labels{{"database", path_}};
  PLUMB_ASSIGN_OR_RETURN(
      ratio_, host_.declare({.name = "sqlite_write_lock_ratio",
                             .unit = "ratio",
                             .layer = PLUMB_LAYER_DATABASE,
                             .part = PLUMB_PART_UTILISATION,
                             .help = "Share of the last second in which the write lock was held.",
                             .labels = labels,
                             .resource = "SQLite's write lock"}));
  PLUMB_ASSIGN_OR_RETURN(
      waiting_,
      host_.declare({.name = "sqlite_waiters",
                     .unit = "threads",
                     .layer = PLUMB_LAYER_DATABASE,
                     .part = PLUMB_PART_WAIT,
                     .help = "Threads waiting for the write lock at an instant, inferred.",
                     .labels = labels,
                     .ledger_line = "database.sqlite_lock"}));
  PLUMB_ASSIGN_OR_RETURN(
      commits_, host_.declare({.name = "sqlite_commits_total",
                               .unit = "commits",
                               .kind = PLUMB_KIND_COUNTER,
                               .layer = PLUMB_LAYER_DATABASE,
                               .help = "Write transactions committed since the watch began.",
                               .labels = labels}));
  PLUMB_ASSIGN_OR_RETURN(debt_,
                         host_.declare({.name = "sqlite_checkpoint_debt_pages",
                                        .unit = "pages",
                                        .layer = PLUMB_LAYER_DATABASE,
                                        .part = PLUMB_PART_SATURATION,
                                        .help = "WAL pages not yet copied back into the database.",
                                        .labels = labels}));
  PLUMB_ASSIGN_OR_RETURN(
      wal_bytes_,
      host_.declare({.name = "sqlite_wal_bytes",
                     .unit = "bytes",
                     .layer = PLUMB_LAYER_DATABASE,
                     .help = "Size of the WAL file: its high-water mark, it does not shrink.",
                     .labels = labels}));
  PLUMB_ASSIGN_OR_RETURN(database_bytes_, host_.declare({.name = "sqlite_database_bytes",
                                                         .unit = "bytes",
                                                         .layer = PLUMB_LAYER_DATABASE,
                                                         .help = "Size of the database file.",
                                                         .labels = labels}));
  return Status::ok();
}

Status DatabaseWatch::tick(int64_t now_ns, const std::vector<FileLock>& locks) {
  // Without a -shm file one may come at any moment, and with it the locks to look for.
  if (now_ns >= next_refresh_ns_ || !files_.has_shm()) {
    next_refresh_ns_ = now_ns + kRefreshEvery;
    PLUMB_RETURN_IF_ERROR(refresh_files(now_ns));
  }
  if (!files_.open()) {
    last_tick_ns_ = 0;
    return Status::ok();
  }
  view_locks(locks, files_.identity(), files_.shm_identity(), view_);
  // By time and not by count: late ticks would otherwise leave out what they were late in.
  const bool held = view_.held != WriteLock::kNone;
  const int64_t since_ns = last_tick_ns_ == 0 ? 0 : now_ns - last_tick_ns_;
  watched_ns_ += since_ns;
  held_ns_ += (static_cast<int64_t>(held) + static_cast<int64_t>(was_held_)) * since_ns / 2;
  last_tick_ns_ = now_ns;
  was_held_ = held;
  PLUMB_RETURN_IF_ERROR(watch_hold(now_ns));
  if (now_ns >= next_look_ns_) {
    const int64_t begun = host_.now_ns();
    sample_waiters(now_ns);
    const int64_t took = host_.now_ns() - begun;
    next_look_ns_ = now_ns + std::clamp(took * kCostFactor, kLookEvery, kLookAtLeastEvery);
  }
  return Status::ok();
}

Status DatabaseWatch::refresh_files(int64_t now_ns) {
  const auto change = files_.refresh();
  if (!change.is_ok()) {
    file_problem_ = change.status().message();
  } else {
    file_problem_ = files_.open() ? "" : "waiting for the SQLite database " + path_ + " to appear";
    switch (*change) {
      case DatabaseFiles::Change::kNone:
        break;
      case DatabaseFiles::Change::kAppeared:
        PLUMB_RETURN_IF_ERROR(
            host_.event(PLUMB_INFO, "sqlite-database-found", "watching " + path_));
        PLUMB_RETURN_IF_ERROR(flush_commits(now_ns));
        break;
      case DatabaseFiles::Change::kReplaced:
        PLUMB_RETURN_IF_ERROR(host_.event(PLUMB_WARNING, "sqlite-database-replaced",
                                          path_ + " is another file now; watching the new one"));
        break;
      case DatabaseFiles::Change::kGone:
        PLUMB_RETURN_IF_ERROR(host_.event(PLUMB_WARNING, "sqlite-database-gone",
                                          path_ + " was deleted; waiting for it to come back"));
        break;
    }
  }
  problem_ = file_problem_;
  if (problem_.empty() && waiters_unknown_)
    problem_ = "cannot see what the threads that use " + path_ +
               " are waiting for; run plumb as the same user or as root";
  return Status::ok();
}

Status DatabaseWatch::watch_hold(int64_t now_ns) {
  const bool held = view_.held != WriteLock::kNone;
  const Hold* long_hold = holds_.sample(now_ns, view_.held, view_.holder,
                                        held ? files_.commit_mark() : std::nullopt, kLongHold);
  if (held) {
    last_held_ns_ = now_ns;
    ever_held_ = true;
    last_hold_start_ns_ = holds_.current()->start_ns;
    if (holds_.is_new(view_.holder, view_.held))
      holds_.name_holder(view_.holder, view_.held, command_of(proc_root_, view_.holder));
  }
  if (long_hold == nullptr) return Status::ok();
  const std::string command = command_of(proc_root_, long_hold->pid);
  const nlohmann::json attributes{{"database", path_},
                                  {"pid", long_hold->pid},
                                  {"command", command},
                                  {"lock", write_lock_name(long_hold->lock)},
                                  {"held_seconds", rounded(seconds(long_hold->length_ns()), 1e-3)}};
  return host_.event(PLUMB_WARNING, "sqlite-lock-held-long",
                     "process " + std::to_string(long_hold->pid) + " (" + command +
                         ") has held the write lock of " + path_ +
                         " for more than a second without a commit",
                     attributes.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void DatabaseWatch::sample_waiters(int64_t now_ns) {
  const bool held = view_.held != WriteLock::kNone;
  const auto mark = files_.commit_mark();
  const bool committed = mark && last_mark_ && mark != last_mark_;
  if (mark) last_mark_ = mark;
  // Most transactions are too short to be seen held, but not to be waited for.
  if (held || committed) {
    last_write_ns_ = now_ns;
    ever_written_ = true;
  }
  ++looks_;
  const int64_t free_ns = now_ns - last_write_ns_;
  if (ever_written_ && free_ns <= kLongestBusySleep) {
    const bool held_lately = ever_held_ && now_ns - last_held_ns_ <= kLongestBusySleep;
    const auto seen = waiters_.scan(
        now_ns, openers(now_ns), {held, held_lately, held ? view_.holder : 0, last_hold_start_ns_});
    waiters_unknown_ = !seen;
    if (seen) waiters_seen_ += *seen + view_.blocked;
    return;
  }
  const bool surely_free = !ever_written_ || free_ns > kSurelyFree;
  if (!surely_free || waiters_.threads() == 0 || now_ns < next_idle_look_ns_) return;
  next_idle_look_ns_ = now_ns + kIdleLookEvery;
  waiters_.learn_idle();
}

// In WAL mode the locks name every process that has the database open; a rollback-journal waiter
// holds none, so its descriptor has to be found.
const std::vector<int32_t>& DatabaseWatch::openers(int64_t now_ns) {
  if (files_.has_shm()) return view_.present;
  if (now_ns >= next_walk_ns_) {
    const int64_t begun = host_.now_ns();
    openers_ = find_openers(proc_root_, files_.identity().device, files_.identity().inode);
    const int64_t took = host_.now_ns() - begun;
    next_walk_ns_ = now_ns + std::max(kWalkEvery, took * kCostFactor);
  }
  std::vector<int32_t> both;
  std::set_union(openers_.begin(), openers_.end(), view_.present.begin(), view_.present.end(),
                 std::back_inserter(both));
  openers_ = std::move(both);
  return openers_;
}

Status DatabaseWatch::flush_commits(int64_t now_ns) {
  if (!files_.open()) return Status::ok();
  return host_.emit_at(commits_, now_ns, static_cast<double>(files_.commits()));
}

Status DatabaseWatch::report(int64_t now_ns) {
  std::vector<plumb_sample> samples;
  const auto add = [&](Series series, double value) {
    samples.push_back({series.id, 0, now_ns, value});
  };
  if (watched_ns_ > 0)
    add(ratio_, static_cast<double>(held_ns_) / static_cast<double>(watched_ns_));
  if (looks_ > 0 && !waiters_unknown_) add(waiting_, static_cast<double>(waiters_seen_) / looks_);
  held_ns_ = watched_ns_ = 0;
  looks_ = waiters_seen_ = 0;
  if (files_.open()) {
    add(commits_, static_cast<double>(files_.commits()));
    if (const auto wal = files_.wal_index()) add(debt_, wal->checkpoint_debt());
    if (const auto bytes = files_.wal_bytes()) add(wal_bytes_, static_cast<double>(*bytes));
    if (const auto bytes = files_.database_bytes())
      add(database_bytes_, static_cast<double>(*bytes));
  }
  return samples.empty() ? Status::ok() : host_.emit(samples);
}

void DatabaseWatch::add_holder_rows(nlohmann::json& rows) const {
  const auto watched = static_cast<double>(std::max<int64_t>(1, holds_.watched_ns()));
  for (const auto& [key, holder] : holds_.holders()) {
    rows.push_back({path_, key.first, holder.command, write_lock_name(key.second),
                    rounded(static_cast<double>(holder.held_ns) / watched, 1e-4),
                    rounded(seconds(holder.longest_ns), 1e-3)});
  }
}

void DatabaseWatch::add_database_row(nlohmann::json& rows) const {
  const auto header = files_.open() ? files_.header() : std::nullopt;
  rows.push_back({path_, journal_mode(),
                  header ? nlohmann::json(header->page_bytes) : nlohmann::json(), notes()});
}

std::string DatabaseWatch::journal_mode() const {
  if (!files_.open()) return "unknown";
  const auto header = files_.header();
  if (!header) return "unknown";
  return header->wal ? "WAL" : "rollback journal";
}

std::string DatabaseWatch::notes() const {
  std::vector<std::string> notes;
  if (!problem_.empty()) notes.push_back(problem_);
  if (files_.open() && files_.identity().any_device)
    notes.push_back("locks are matched by inode alone on this file system");
  const auto header = files_.open() ? files_.header() : std::nullopt;
  if (files_.open() && !header) notes.push_back("the file is empty or no SQLite database");
  if (header && header->wal && !files_.has_shm())
    notes.push_back("no -shm file: closed, or locking_mode=EXCLUSIVE, where commits are not seen");
  if (waiters_.truncated())
    notes.push_back("more than " + std::to_string(WaiterWatch::kMostThreads) +
                    " threads have it open: waiters are a lower bound");
  std::string joined;
  for (const std::string& note : notes) joined += (joined.empty() ? "" : "; ") + note;
  return joined;
}

}  // namespace plumb::sqlite_stats
