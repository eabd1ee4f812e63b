// The files of one database, opened read-only once and kept: database, -shm, -wal.
//
// Raw inspection is safe only in a process that has no SQLite connection to the same files: a
// close() there would drop that connection's POSIX locks. So SQLite is not linked here.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>

#include "descriptor.h"
#include "file_format.h"
#include "locks.h"

namespace plumb::sqlite_stats {

class DatabaseFiles {
 public:
  enum class Change { kNone, kAppeared, kReplaced, kGone };

  explicit DatabaseFiles(std::string path) : path_(std::move(path)) {}

  // Compares what is open with what the path names now, and opens anew where they differ. Cheap
  // (two stat calls). The error says why a file that exists cannot be watched.
  Result<Change> refresh();

  bool open() const { return database_.valid(); }
  bool has_shm() const { return shm_.valid(); }
  const FileIdentity& identity() const { return identity_; }
  const FileIdentity* shm_identity() const { return has_shm() ? &shm_identity_ : nullptr; }
  // The database's first bytes as of now; nothing while it is empty.
  std::optional<DatabaseHeader> header() const;
  std::optional<WalIndex> wal_index() const;

  // Commits since the database was first seen, brought up to date. Exact also when the -shm file
  // was rebuilt or deleted in between. Stands still where no counter can be read (WAL with
  // locking_mode=EXCLUSIVE keeps its index in the application's memory).
  uint64_t commits();
  // A number that changes with every commit, for telling one transaction from the next; nothing
  // when it cannot be read at this instant.
  std::optional<uint32_t> commit_mark() const;

  std::optional<uint64_t> database_bytes() const;
  std::optional<uint64_t> wal_bytes() const;
  const std::string& path() const { return path_; }

 private:
  enum class Counter { kNone, kWal, kRollback };
  Result<Change> open_database(Change change);
  // `continuing`: the database itself was open before, so that a -shm file found now is new.
  void refresh_shm(bool continuing);
  void close_all();

  std::string path_;
  std::string real_path_;  // SQLite puts -wal and -shm beside the file that a symlink leads to
  Descriptor database_;
  Descriptor shm_;
  FileIdentity identity_;
  FileIdentity shm_identity_;
  uint64_t commits_ = 0;
  Counter counter_ = Counter::kNone;
  uint32_t counted_ = 0;  // the counter's value at the last count
  bool seen_before_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_
