#include "database_files.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "lock_probe.h"
#include "shown_path.h"

namespace plumb::sqlite_stats {
namespace {

// The WAL's generation grows by one with each reset; a larger step is a new WAL file.
constexpr uint32_t kMostResetsAtOnce = 1u << 16;

template <size_t N>
std::span<const uint8_t> read_start(const Descriptor& file, std::array<uint8_t, N>& buffer) {
  const ssize_t n = ::pread(file.get(), buffer.data(), buffer.size(), 0);
  return {buffer.data(), n > 0 ? static_cast<size_t>(n) : 0};
}

std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : path;
}

// The last connection deletes the -shm file right before it lets go of it, so one meeting means
// nothing.
constexpr int kMeetingsToSay = 2;

bool is_file(const std::string& path, dev_t device, uint64_t inode) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 && file.st_dev == device && file.st_ino == inode;
}

}  // namespace

Status DatabaseFiles::refresh() {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) {
    const int reason = errno;
    if (reason != ENOENT && reason != ENOTDIR)
      return Status::permission_denied("cannot look at the SQLite database " + shown_path(path_) +
                                       ": " + std::strerror(reason));
    if (!open()) return Status::ok();
    sample();
    close_all();
    changes_.push_back(Change::kGone);
    return Status::ok();
  }
  if (!S_ISREG(now.st_mode))
    return Status::invalid_argument(shown_path(path_) +
                                    " is no file: name the SQLite database file itself");
  if (!open()) return open_database(seen_before_ ? Change::kReplaced : Change::kAppeared);
  if (now.st_dev != identity_.device || now.st_ino != identity_.inode) {
    sample();
    close_all();
    return open_database(Change::kReplaced);
  }
  refresh_shm(true);
  read_header();
  return Status::ok();
}

Status DatabaseFiles::open_database(Change change) {
  database_ = Descriptor::open(path_);
  if (!database_.valid())
    return Status::permission_denied("cannot read the SQLite database " + shown_path(path_) + ": " +
                                     std::strerror(errno) + "; run plumb as its owner or as root");
  const auto identity = identify(database_.get());
  if (!identity) {
    database_.reset();
    return Status::unavailable("cannot identify the SQLite database " + shown_path(path_));
  }
  identity_ = *identity;
  real_path_ = resolve(path_);
  shm_path_ = real_path_ + "-shm";
  wal_path_ = real_path_ + "-wal";
  read_header();
  refresh_shm(false);
  sample();  // what was counted before is none of ours: the base line
  seen_before_ = true;
  changes_.push_back(change);
  return Status::ok();
}

void DatabaseFiles::refresh_shm(bool continuing) {
  struct stat now {};
  const int error = ::stat(shm_path_.c_str(), &now) == 0 ? 0 : errno;
  const bool exists = error == 0;
  if (has_shm() && exists && now.st_dev == shm_identity_.device &&
      now.st_ino == shm_identity_.inode)
    return;
  if (has_shm() && !exists && is_deleted_in_use()) return;
  if (!has_shm() && !exists) {
    shm_error_ = error == ENOENT ? 0 : error;
    return;
  }
  // The last connection deletes the file when it closes; what it counted is still behind our
  // descriptor.
  sample();
  shm_.reset();
  wal_.reset();
  // What was counted in a file that could not be read, or by those who use one that was deleted, is
  // not known.
  const bool was_seen = std::exchange(shm_error_, 0) == 0 && deleted_in_use_ == 0;
  deleted_in_use_ = 0;
  if (!was_seen) counter_ = Counter::kNone;
  if (exists) open_shm(continuing && was_seen);
}

void DatabaseFiles::open_shm(bool is_new) {
  shm_ = Descriptor::open(shm_path_);
  const auto identity = shm_.valid() ? identify(shm_.get()) : std::nullopt;
  if (!identity) {
    shm_error_ = errno == ENOENT ? 0 : errno;
    shm_.reset();
    return;
  }
  shm_identity_ = *identity;
  if (is_new) {  // it came while we watched, so its counters began at zero
    counter_ = Counter::kWal;
    counted_wal_ = {};
  }
}

bool DatabaseFiles::is_deleted_in_use() {
  if (!is_in_use(shm_.get())) return false;
  if (++deleted_in_use_ == kMeetingsToSay) changes_.push_back(Change::kIndexDeleted);
  return true;
}

std::string DatabaseFiles::hidden_shm() const {
  if (shm_error_ == 0 || (header_ && !header_->wal)) return {};
  return "cannot read " + shown_path(shm_path_) + ": " + std::strerror(shm_error_);
}

bool DatabaseFiles::shm_has_changed() const {
  struct stat file {};
  if (deleted_in_use_ > 0 || shm_error_ != 0) return false;  // the next refresh is soon enough
  if (has_shm()) return ::fstat(shm_.get(), &file) == 0 && file.st_nlink == 0;
  return header_ && header_->wal && ::stat(shm_path_.c_str(), &file) == 0;
}

void DatabaseFiles::close_all() {
  database_.reset();
  shm_.reset();
  shm_error_ = 0;
  deleted_in_use_ = 0;
  header_.reset();
  wal_.reset();
  was_wal_.reset();
  counter_ = Counter::kNone;
}

void DatabaseFiles::read_header() {
  std::array<uint8_t, kDatabaseHeaderBytes> buffer;
  header_ = parse_database_header(read_start(database_, buffer));
  // A file that is just being rewritten has none; the mode is compared across that.
  if (!header_) return;
  if (was_wal_ && *was_wal_ != header_->wal)
    changes_.push_back(header_->wal ? Change::kToWal : Change::kToRollback);
  was_wal_ = header_->wal;
}

std::optional<WalIndex> DatabaseFiles::read_wal_index() const {
  // Never mapped: SQLite truncates the file, and touching a page past its end would end us.
  constexpr int kAttempts = 3;
  for (int i = 0; i < kAttempts; ++i) {
    std::array<uint8_t, kWalIndexBytes> buffer;
    if (const auto index = parse_wal_index(read_start(shm_, buffer))) return index;
  }
  return std::nullopt;
}

void DatabaseFiles::sample() {
  if (!open()) return;
  wal_.reset();
  if (has_shm() && header_ && header_->wal) {
    wal_ = read_wal_index();
    if (wal_) count_wal(*wal_);
    return;
  }
  read_header();
  if (header_ && !header_->wal) count_rollback(*header_);
}

void DatabaseFiles::count_wal(const WalIndex& now) {
  const WalIndex before = std::exchange(counted_wal_, now);
  if (std::exchange(counter_, Counter::kWal) != Counter::kWal) return;
  const uint32_t commits = counter_growth(before.changes, now.changes);
  totals_.commits += commits;
  if (commits != now.changes - before.changes) changes_.push_back(Change::kRecovered);
  const auto checkpointed = [this](uint32_t from, uint32_t to) {
    if (to <= from) return;
    ++totals_.checkpoints;
    totals_.checkpointed_pages += to - from;
  };
  if (now.generation == before.generation) {
    if (now.frames > before.frames) totals_.wal_frames += now.frames - before.frames;
    checkpointed(before.backfilled, now.backfilled);
    return;
  }
  const uint32_t resets = now.generation - before.generation;
  if (resets <= kMostResetsAtOnce) {
    totals_.wal_resets += resets;
    // The WAL begins again only once all of it has been copied back.
    checkpointed(before.backfilled, before.frames);
  }
  totals_.wal_frames += now.frames;
  checkpointed(0, now.backfilled);
}

void DatabaseFiles::count_rollback(const DatabaseHeader& now) {
  const uint32_t before = std::exchange(counted_changes_, now.change_counter);
  if (std::exchange(counter_, Counter::kRollback) != Counter::kRollback) return;
  if (const auto growth = change_counter_growth(before, now.change_counter)) {
    totals_.commits += *growth;
  } else {
    changes_.push_back(Change::kRestored);
  }
}

std::optional<uint32_t> DatabaseFiles::commit_mark() const {
  if (wal_) return wal_->changes;
  if (!header_ || header_->wal) return std::nullopt;
  return header_->change_counter;
}

std::optional<uint64_t> DatabaseFiles::database_bytes() const {
  struct stat file {};
  if (::fstat(database_.get(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

std::optional<uint64_t> DatabaseFiles::wal_bytes() const {
  struct stat file {};
  if (::stat(wal_path_.c_str(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

std::optional<DatabaseFiles::Kind> DatabaseFiles::kind_of(dev_t device, uint64_t inode) const {
  if (!open()) return std::nullopt;
  if (device == identity_.device && inode == identity_.inode) return Kind::kDatabase;
  if (has_shm() && device == shm_identity_.device && inode == shm_identity_.inode)
    return Kind::kWalIndex;
  if (is_file(wal_path_, device, inode)) return Kind::kWal;
  if (is_file(real_path_ + "-journal", device, inode)) return Kind::kJournal;
  return std::nullopt;
}

}  // namespace plumb::sqlite_stats
