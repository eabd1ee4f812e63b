// The files of one database, opened read-only once and kept: database, -shm, -wal.
//
// Raw inspection is safe only in a process that has no SQLite connection to the same files: a
// close() there would drop that connection's POSIX locks. So SQLite is not linked here; what needs
// SQL is asked of another program (see inspect/).
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "file_format.h"
#include "locks.h"

namespace plumb::sqlite_stats {

// What happened to a database since it was first seen. None ever falls, whatever becomes of the
// files.
struct Totals {
  uint64_t commits = 0;
  uint64_t wal_frames = 0;          // pages written to the WAL
  uint64_t checkpoints = 0;         // runs that copied something back
  uint64_t checkpointed_pages = 0;  // frames that they moved past
  uint64_t wal_resets = 0;          // times the WAL began again at its start
};

class DatabaseFiles {
 public:
  enum class Change {
    kAppeared,
    kReplaced,      // another file under the same name
    kGone,          // deleted or moved away
    kRestored,      // the same file with other content
    kRecovered,     // the -shm file was rebuilt in place, as after a crash
    kIndexDeleted,  // the -shm file was deleted while connections use it, and go on to
    kToWal,         // the journal mode was changed
    kToRollback,    // likewise
  };
  enum class Kind { kWal, kWalIndex, kDatabase, kJournal };

  explicit DatabaseFiles(std::string path) : path_(std::move(path)) {}

  // Compares what is open with what the path names now, and opens anew where they differ. Cheap
  // (a handful of stat and read calls). The error says why a file that exists cannot be watched.
  Status refresh();
  // True when the open -shm file was deleted, or one has come to a WAL database that had none, so
  // that a refresh is due. One system call.
  bool shm_has_changed() const;
  // Reads the counters anew (one system call, mostly) and adds what they grew by to the totals.
  // Exact also when the -shm file was rebuilt or deleted in between. Commits stand still where no
  // counter can be read (WAL with locking_mode=EXCLUSIVE keeps its index in the application's
  // memory).
  void sample();
  // What refresh and sample noticed since the last call, in order.
  bool has_changes() const { return !changes_.empty(); }
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

  bool open() const { return database_.valid(); }
  bool has_shm() const { return shm_.valid(); }
  // Why the -shm file of a WAL database cannot be read although it exists; empty when it can, or
  // when there is none. Without it neither locks nor commits are known.
  std::string hidden_shm() const;
  int database_fd() const { return database_.get(); }
  int shm_fd() const { return shm_.get(); }
  const FileIdentity& identity() const { return identity_; }
  const FileIdentity* shm_identity() const { return has_shm() ? &shm_identity_ : nullptr; }

  // As of the last refresh or sample; nothing while the file is empty or no SQLite database.
  const std::optional<DatabaseHeader>& header() const { return header_; }
  // As of the last sample; nothing in rollback mode, or while a writer was just at it.
  const std::optional<WalIndex>& wal_index() const { return wal_; }
  const Totals& totals() const { return totals_; }
  // A number that changes with every commit, for telling one transaction from the next; nothing
  // when it could not be read at the last sample.
  std::optional<uint32_t> commit_mark() const;

  std::optional<uint64_t> database_bytes() const;
  std::optional<uint64_t> wal_bytes() const;
  // Which of the database's files this is, by device and inode as stat shows them.
  std::optional<Kind> kind_of(dev_t device, uint64_t inode) const;
  // The file itself, where `path` leads through symbolic links.
  const std::string& real_path() const { return real_path_; }

 private:
  enum class Counter { kNone, kWal, kRollback };
  Status open_database(Change change);
  // `continuing`: the database itself was open before, so that a -shm file found now is new.
  void refresh_shm(bool continuing);
  void open_shm(bool is_new);
  // True while connections go on to use the -shm file that is open here, and that was deleted.
  bool is_deleted_in_use();
  void read_header();
  std::optional<WalIndex> read_wal_index() const;
  void count_wal(const WalIndex& now);
  void count_rollback(const DatabaseHeader& now);
  void close_all();

  std::string path_;
  std::string real_path_;  // SQLite puts -wal and -shm beside the file that a symlink leads to
  std::string shm_path_;
  std::string wal_path_;
  Descriptor database_;
  Descriptor shm_;
  FileIdentity identity_;
  FileIdentity shm_identity_;
  int shm_error_ = 0;       // that kept the -shm file from being opened
  int deleted_in_use_ = 0;  // for how many refreshes the open -shm file was found so
  std::optional<DatabaseHeader> header_;
  std::optional<WalIndex> wal_;
  std::optional<bool> was_wal_;
  Totals totals_;
  Counter counter_ = Counter::kNone;  // which of the two below the next count compares with
  WalIndex counted_wal_;
  uint32_t counted_changes_ = 0;
  bool seen_before_ = false;
  std::vector<Change> changes_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DATABASE_FILES_H_
