#include "database_watch.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "durations.h"
#include "lock_probe.h"
#include "shown_path.h"
#include "tables.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kRefreshEvery = 100 * kMillisecond;
// A database without a commit or a lock for so long is only asked for its locks, and looked at
// whole 20 times a second.
constexpr int64_t kIdleAfter = 1'000 * kMillisecond;
constexpr int64_t kIdleTickEvery = 50 * kMillisecond;
constexpr int64_t kReadersEvery = 100 * kMillisecond;
// SQLite's busy handler sleeps at most 100 ms between two tries: so long after the lock was freed
// somebody may still be asleep for it, and no longer.
constexpr int64_t kLongestBusySleep = 110 * kMillisecond;
constexpr int64_t kLongHold = 1'000 * kMillisecond;
// The share of time that the lock is held of late is a mean that fades over so long.
constexpr int64_t kHeldShareOver = 1'000 * kMillisecond;
// A database that is rebuilt again and again is told of so often.
constexpr int64_t kRecoveryEventEvery = 10'000 * kMillisecond;

std::array<bool, kLockKinds> kinds_of(const LockState& locks) {
  return {locks.held == WriteLock::kWrite,   locks.checkpointer.has_value(),
          locks.recoverer.has_value(),       locks.held == WriteLock::kReserved,
          locks.held == WriteLock::kPending, locks.held == WriteLock::kExclusive};
}

bool stops_all_writers(const std::array<bool, kLockKinds>& held) {
  const auto is = [&held](LockKind kind) { return held.at(static_cast<size_t>(kind)); };
  return is(LockKind::kWrite) || is(LockKind::kReserved) || is(LockKind::kPending) ||
         is(LockKind::kExclusive);
}

}  // namespace

DatabaseWatch::DatabaseWatch(const Host& host, std::string path, proc::Root root,
                             LockReading reading, OpenerWalk& walk)
    : host_(host),
      path_(std::move(path)),
      name_(shown_path(path_)),
      root_(std::move(root)),
      reading_(reading),
      walk_(walk),
      files_(path_),
      syncs_(root_) {}

Status DatabaseWatch::declare() {
  PLUMB_ASSIGN_OR_RETURN(series_, DatabaseSeries::declare(host_, name_));
  return Status::ok();
}

Status DatabaseWatch::tick(int64_t now_ns, const std::vector<FileLock>* listing) {
  if (still_idle(now_ns)) return Status::ok();
  return full_tick(now_ns, listing);
}

bool DatabaseWatch::still_idle(int64_t now_ns) {
  if (reading_ != LockReading::kAsk || now_ns >= next_full_tick_ns_ || !files_.open()) return false;
  if (!files_.has_shm() && files_.shm_has_changed()) return false;
  const auto answer = ask_locks(files_.database_fd(), files_.shm_fd());
  if (!answer.is_ok() || answer->held != WriteLock::kNone || answer->checkpointer ||
      answer->recoverer)
    return false;
  seen_free_ns_ = now_ns;
  return true;
}

Status DatabaseWatch::full_tick(int64_t now_ns, const std::vector<FileLock>* listing) {
  if (first_tick_ns_ == 0) first_tick_ns_ = now_ns;
  // It was free until the last look, and not just at the last whole tick.
  if (const int64_t free_ns = std::exchange(seen_free_ns_, 0); free_ns > last_tick_ns_) {
    locks_ = {};
    PLUMB_RETURN_IF_ERROR(watch_hold(free_ns));
    account(free_ns);
  }
  // A -shm file may come at any moment, and with it the locks to look for. One that was deleted
  // shows no more commits.
  const bool stands_still = files_.totals().commits == commits_before_;
  commits_before_ = files_.totals().commits;
  if (now_ns >= next_refresh_ns_ || (stands_still && files_.shm_has_changed())) {
    next_refresh_ns_ = now_ns + kRefreshEvery;
    PLUMB_RETURN_IF_ERROR(refresh_files(now_ns));
  }
  if (!files_.open() || !files_.hidden_shm().empty() || !read_locks(listing)) {
    last_tick_ns_ = 0;
    locks_ = {};
    holds_.pause();
    waiters_.pause();
    return Status::ok();
  }
  files_.sample();
  if (files_.has_changes()) {
    for (const DatabaseFiles::Change change : files_.take_changes())
      PLUMB_RETURN_IF_ERROR(tell_change(change, now_ns));
  }
  PLUMB_RETURN_IF_ERROR(watch_hold(now_ns));
  account(now_ns);
  if (now_ns >= next_readers_ns_) {
    next_readers_ns_ = now_ns + kReadersEvery;
    PLUMB_RETURN_IF_ERROR(watch_readers(now_ns));
  }
  const bool idle = idle_ns(now_ns) > kIdleAfter && !readers_.any();
  next_full_tick_ns_ = idle ? now_ns + kIdleTickEvery : now_ns;
  return Status::ok();
}

bool DatabaseWatch::read_locks(const std::vector<FileLock>* listing) {
  if (listing != nullptr) list_locks(*listing, files_.identity(), files_.shm_identity(), listing_);
  if (reading_ == LockReading::kAsk) {
    const auto answer = ask_locks(files_.database_fd(), files_.shm_fd());
    if (answer.is_ok()) {
      locks_ = *answer;
      return true;
    }
    reading_ = LockReading::kList;
  }
  if (listing == nullptr) return false;
  locks_ = listing_.state;
  return true;
}

// By time and not by count: late ticks would otherwise leave out what they were late in.
void DatabaseWatch::account(int64_t now_ns) {
  const std::array<bool, kLockKinds> held = kinds_of(locks_);
  const int64_t since_ns = last_tick_ns_ == 0 ? 0 : now_ns - last_tick_ns_;
  const auto share = [since_ns](bool before, bool now) {
    return (static_cast<int64_t>(before) + static_cast<int64_t>(now)) * since_ns / 2;
  };
  for (size_t i = 0; i < kLockKinds; ++i) held_ns_.at(i) += share(was_held_.at(i), held.at(i));
  const int64_t write_ns = share(stops_all_writers(was_held_), stops_all_writers(held));
  watched_ns_ += since_ns;
  write_held_ns_ += write_ns;
  if (since_ns > 0) {
    const auto since = static_cast<double>(since_ns);
    held_share_ += (static_cast<double>(write_ns) / since - held_share_) *
                   std::min(1.0, since / static_cast<double>(kHeldShareOver));
  }
  last_tick_ns_ = now_ns;
  was_held_ = held;

  const uint64_t commits =
      files_.totals().commits - std::exchange(counted_commits_, files_.totals().commits);
  lengths_.sample(now_ns, since_ns, write_ns, holds_.ended(), commits);
  // Most transactions are too short to be seen held, but not to be waited for.
  if (commits == 0 && locks_.held == WriteLock::kNone) return;
  last_write_ns_ = now_ns;
  ever_written_ = true;
}

Status DatabaseWatch::refresh_files(int64_t now_ns) {
  const Status refreshed = files_.refresh();
  file_problem_ = refreshed.is_ok() ? problem_of_files() : refreshed.message();
  for (const DatabaseFiles::Change change : files_.take_changes())
    PLUMB_RETURN_IF_ERROR(tell_change(change, now_ns));
  problem_ = file_problem_;
  if (problem_.empty() && threads_hidden_)
    problem_ = "cannot see what the threads that use " + name_ +
               " are waiting for; run plumb as the same user or as root";
  return Status::ok();
}

std::string DatabaseWatch::problem_of_files() const {
  if (!files_.open()) return missing_problem();
  if (!files_.header() && files_.database_bytes().value_or(0) >= kDatabaseHeaderBytes)
    return name_ + " is no SQLite database, or is encrypted: what it commits cannot be seen";
  const std::string hidden = files_.hidden_shm();
  if (hidden.empty()) return {};
  return hidden + ": locks, waiters and commits of " + name_ +
         " are not known; run plumb as the same user or as root";
}

Status DatabaseWatch::tell_change(DatabaseFiles::Change change, int64_t now_ns) {
  using Change = DatabaseFiles::Change;
  const auto event = [this](uint32_t level, const char* kind, const std::string& message) {
    return host_.event(level, kind, message, to_text({{"database", name_}}));
  };
  switch (change) {
    case Change::kAppeared:
      ever_open_ = true;
      if (reading_ == LockReading::kAsk && files_.identity().remote) reading_ = LockReading::kList;
      PLUMB_RETURN_IF_ERROR(event(PLUMB_INFO, "sqlite-database-found", "watching " + name_));
      return flush(now_ns);
    case Change::kReplaced:
      ever_open_ = true;
      readers_.clear();
      return event(PLUMB_WARNING, "sqlite-database-replaced",
                   name_ + " is another file now; watching the new one");
    case Change::kGone:
      readers_.clear();
      return event(PLUMB_WARNING, "sqlite-database-gone",
                   name_ + " was deleted or moved away; waiting for it to come back");
    case Change::kRestored:
      return event(
          PLUMB_WARNING, "sqlite-database-restored",
          name_ + " has other content now, such as a backup's; commits count on from here");
    case Change::kToWal:
    case Change::kToRollback:
      readers_.clear();
      return event(PLUMB_WARNING, "sqlite-journal-mode-changed",
                   name_ + (change == Change::kToWal ? " has gone from a rollback journal to WAL"
                                                     : " has gone from WAL to a rollback journal"));
    case Change::kRecovered:
      readers_.clear();
      if (now_ns < next_recovery_event_ns_) return Status::ok();
      next_recovery_event_ns_ = now_ns + kRecoveryEventEvery;
      return event(
          PLUMB_WARNING, "sqlite-wal-recovered",
          "the WAL index of " + name_ + " was rebuilt, as after a process that used it was killed");
    case Change::kIndexDeleted:
      return event(PLUMB_WARNING, "sqlite-wal-index-deleted",
                   "the -shm file of " + name_ +
                       " was deleted while it is in use: processes that open the database from "
                       "now on do not see the locks of those that have it open, and may damage it");
  }
  return Status::ok();
}

std::string DatabaseWatch::missing_problem() const {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path_, error);
  std::string text =
      "waiting for the SQLite database " + shown_path(absolute.string()) + " to appear: ";
  if (!std::filesystem::exists(absolute.parent_path(), error))
    return text + "its directory does not exist; is the option database right?";
  return text + (ever_open_ ? "it was there before and is gone"
                            : "there is no such file; is the option database right?");
}

Status DatabaseWatch::watch_hold(int64_t now_ns) {
  const bool held = locks_.held != WriteLock::kNone;
  const Hold* long_hold =
      holds_.sample(now_ns, locks_.held, locks_.holder, files_.commit_mark(), kLongHold);
  if (held) {
    last_held_ns_ = now_ns;
    ever_held_ = true;
    lock_holders_.note(now_ns, locks_.holder);
    last_hold_start_ns_ = holds_.current()->start_ns;
    if (holds_.is_new(locks_.holder, locks_.held))
      holds_.name_holder(locks_.holder, locks_.held, command_of(root_, locks_.holder, buffer_));
  }
  if (long_hold == nullptr) return Status::ok();
  const std::string command = command_of(root_, long_hold->pid, buffer_);
  const nlohmann::json attributes{{"database", name_},
                                  {"pid", long_hold->pid},
                                  {"command", command},
                                  {"lock", write_lock_name(long_hold->lock)},
                                  {"held_seconds", seconds_of(long_hold->length_ns())}};
  return host_.event(PLUMB_WARNING, "sqlite-lock-held-long",
                     process_text(long_hold->pid, command) + " has held the write lock of " +
                         name_ + " for more than a second without a commit",
                     to_text(attributes));
}

Status DatabaseWatch::watch_readers(int64_t now_ns) {
  const auto& wal = files_.wal_index();
  if (!wal) {
    if (!files_.has_shm()) readers_.clear();
    return Status::ok();
  }
  if (reading_ == LockReading::kAsk) {
    ask_readers(files_.shm_fd(), reader_locks_);
  } else {
    reader_locks_ = listing_.readers;
  }
  for (const ReaderLock& reader : reader_locks_) lock_holders_.note(now_ns, reader.pid);
  readers_.look(now_ns, reader_locks_, *wal);
  for (Pin* pin : readers_.nameless()) pin->command = command_of(root_, pin->pid, buffer_);
  for (const Pin* pin : readers_.take_news()) {
    const nlohmann::json attributes{{"database", name_},
                                    {"pid", pin->pid},
                                    {"command", pin->command},
                                    {"slot", pin->slot},
                                    {"frame", pin->frame},
                                    {"held_back_frames", pin->held_back},
                                    {"seconds", seconds_of(pin->length_ns())}};
    PLUMB_RETURN_IF_ERROR(host_.event(
        PLUMB_WARNING, "sqlite-checkpoint-pinned",
        process_text(pin->pid, pin->command) + " has been reading an old state of " + name_ +
            " for more than a second: checkpoints stop at frame " + std::to_string(pin->frame) +
            ", " + std::to_string(pin->held_back) + " frames before the WAL's end",
        to_text(attributes)));
  }
  return Status::ok();
}

void DatabaseWatch::want_openers(int64_t now_ns) {
  if (files_.open()) walk_.want(now_ns, files_.identity().device, files_.identity().inode);
}

std::optional<Contention> DatabaseWatch::contention(int64_t now_ns) {
  if (last_tick_ns_ == 0 || !ever_written_ || now_ns - last_write_ns_ > kLongestBusySleep)
    return std::nullopt;
  Contention out;
  out.held = locks_.held != WriteLock::kNone;
  out.held_lately = ever_held_ && now_ns - last_held_ns_ <= kLongestBusySleep;
  out.holder = out.held ? locks_.holder : 0;
  out.hold_start_ns = last_hold_start_ns_;
  out.held_share = held_share_;
  out.users = openers(now_ns);
  out.files = &files_;
  return out;
}

void DatabaseWatch::take_look(int64_t now_ns, std::optional<double> waiters,
                              const std::vector<SyncCall>& syncs) {
  threads_hidden_ = !waiters || (openers_.empty() && walk_.was_denied());
  waiters_.look(now_ns, threads_hidden_ ? std::nullopt : waiters);
  syncs_.look(syncs, locks_, files_);
}

void DatabaseWatch::take_idle_look(int64_t now_ns) {
  if (last_tick_ns_ != 0) waiters_.look(now_ns, 0);
}

// A listing names every process that has a WAL open. Otherwise, and with a rollback journal, whose
// waiters hold no lock at all, descriptors have to be found; who has just come is known by its
// locks before that.
const std::vector<int32_t>& DatabaseWatch::openers(int64_t now_ns) {
  if (reading_ == LockReading::kList && files_.has_shm()) return openers_ = listing_.present;
  lock_holders_.forget_old(now_ns);
  openers_ = walk_.find(now_ns, files_.identity().device, files_.identity().inode);
  for (const auto& [pid, seen_ns] : lock_holders_.seen()) openers_.push_back(pid);
  openers_.insert(openers_.end(), listing_.present.begin(), listing_.present.end());
  std::sort(openers_.begin(), openers_.end());
  openers_.erase(std::unique(openers_.begin(), openers_.end()), openers_.end());
  return openers_;
}

bool DatabaseWatch::counters_known() const {
  if (!files_.open() || !files_.hidden_shm().empty()) return false;
  const bool foreign = !files_.header() && files_.database_bytes().value_or(0) > 0;
  // With locking_mode=EXCLUSIVE the WAL index is in the application's memory.
  const bool index_elsewhere = files_.header() && files_.header()->wal && !files_.has_shm() &&
                               locks_.held == WriteLock::kExclusive;
  return !foreign && !index_elsewhere;
}

int64_t DatabaseWatch::idle_ns(int64_t now_ns) const {
  if (locks_.held != WriteLock::kNone) return 0;
  return now_ns - std::max(ever_written_ ? last_write_ns_ : 0, first_tick_ns_);
}

void DatabaseWatch::add_inodes(std::vector<uint64_t>& inodes) const {
  if (!files_.open()) return;
  inodes.push_back(files_.identity().inode);
  if (const FileIdentity* shm = files_.shm_identity()) inodes.push_back(shm->inode);
}

}  // namespace plumb::sqlite_stats
