#include "database_files.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace plumb::sqlite_stats {
namespace {

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

}  // namespace

Result<DatabaseFiles::Change> DatabaseFiles::refresh() {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) {
    const int reason = errno;
    if (reason != ENOENT && reason != ENOTDIR)
      return Status::permission_denied("cannot look at the SQLite database " + path_ + ": " +
                                       std::strerror(reason));
    if (!open()) return Change::kNone;
    commits();
    close_all();
    return Change::kGone;
  }
  if (!S_ISREG(now.st_mode))
    return Status::invalid_argument(path_ + " is no file: name the SQLite database file itself");
  if (!open()) return open_database(seen_before_ ? Change::kReplaced : Change::kAppeared);
  if (now.st_dev != identity_.device || now.st_ino != identity_.inode) {
    commits();
    close_all();
    return open_database(Change::kReplaced);
  }
  refresh_shm(true);
  return Change::kNone;
}

Result<DatabaseFiles::Change> DatabaseFiles::open_database(Change change) {
  database_ = Descriptor::open(path_);
  if (!database_.valid())
    return Status::permission_denied("cannot read the SQLite database " + path_ + ": " +
                                     std::strerror(errno) + "; run plumb as its owner or as root");
  const auto identity = identify(database_.get());
  if (!identity) {
    database_.reset();
    return Status::unavailable("cannot identify the SQLite database " + path_);
  }
  identity_ = *identity;
  real_path_ = resolve(path_);
  refresh_shm(false);
  commits();  // what it has counted so far is none of ours: the base line
  seen_before_ = true;
  return change;
}

void DatabaseFiles::refresh_shm(bool continuing) {
  const std::string name = real_path_ + "-shm";
  struct stat now {};
  const bool exists = ::stat(name.c_str(), &now) == 0;
  if (has_shm() && exists && now.st_dev == shm_identity_.device &&
      now.st_ino == shm_identity_.inode)
    return;
  if (!has_shm() && !exists) return;
  // The last connection deletes the file when it closes; what it counted is still behind our
  // descriptor.
  commits();
  shm_.reset();
  if (!exists) return;
  shm_ = Descriptor::open(name);
  if (!shm_.valid()) return;
  const auto identity = identify(shm_.get());
  if (!identity) {
    shm_.reset();
    return;
  }
  shm_identity_ = *identity;
  if (continuing) {  // it came while we watched, so its counter began at zero
    counter_ = Counter::kWal;
    counted_ = 0;
  }
}

void DatabaseFiles::close_all() {
  database_.reset();
  shm_.reset();
  counter_ = Counter::kNone;
}

std::optional<DatabaseHeader> DatabaseFiles::header() const {
  std::array<uint8_t, kDatabaseHeaderBytes> buffer;
  return parse_database_header(read_start(database_, buffer));
}

std::optional<WalIndex> DatabaseFiles::wal_index() const {
  if (!has_shm()) return std::nullopt;
  // Never mapped: SQLite truncates the file, and touching a page past its end would end us.
  constexpr int kAttempts = 3;
  for (int i = 0; i < kAttempts; ++i) {
    std::array<uint8_t, kWalIndexBytes> buffer;
    if (const auto index = parse_wal_index(read_start(shm_, buffer))) return index;
  }
  return std::nullopt;
}

uint64_t DatabaseFiles::commits() {
  if (!open()) return commits_;
  const auto database = header();
  if (!database) return commits_;
  const auto wal = database->wal ? wal_index() : std::nullopt;
  if (database->wal && !wal) return commits_;
  const Counter counter = wal ? Counter::kWal : Counter::kRollback;
  const uint32_t value = wal ? wal->changes : database->change_counter;
  if (counter == counter_) commits_ += counter_growth(counted_, value);
  counter_ = counter;
  counted_ = value;
  return commits_;
}

std::optional<uint32_t> DatabaseFiles::commit_mark() const {
  if (has_shm()) {
    const auto wal = wal_index();
    return wal ? std::optional(wal->changes) : std::nullopt;
  }
  const auto database = header();
  return database ? std::optional(database->change_counter) : std::nullopt;
}

std::optional<uint64_t> DatabaseFiles::database_bytes() const {
  struct stat file {};
  if (::fstat(database_.get(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

std::optional<uint64_t> DatabaseFiles::wal_bytes() const {
  struct stat file {};
  if (::stat((real_path_ + "-wal").c_str(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

}  // namespace plumb::sqlite_stats
