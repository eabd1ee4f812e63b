// The kernel's file locks, as /proc/locks lists them, and what SQLite means by them.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace plumb::sqlite_stats {

// The bytes that SQLite locks: on the database file, then on the -shm file.
constexpr int64_t kPendingByte = 0x40000000;
constexpr int64_t kReservedByte = kPendingByte + 1;
constexpr int64_t kSharedFirst = kPendingByte + 2;
constexpr int64_t kSharedLast = kSharedFirst + 509;
constexpr int64_t kShmWriteByte = 120;
constexpr int64_t kShmCheckpointByte = 121;
constexpr int64_t kShmRecoverByte = 122;
constexpr int64_t kShmFirstReadByte = 123;
constexpr int64_t kShmOpenByte = 128;  // shared by every connection, for as long as it is open

// One POSIX lock. Bytes [start, end], end inclusive; INT64_MAX is "EOF".
struct FileLock {
  int32_t pid = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint64_t inode = 0;
  int64_t start = 0;
  int64_t end = 0;
  bool write = false;
  bool blocked = false;  // a request that waits for the lock ("->"), not a lock

  bool covers(int64_t first, int64_t last) const { return start <= last && end >= first; }
};

// The POSIX locks on files with one of `inodes` (ascending) in the text of /proc/locks, in its
// order. Lines of other files, lines of other kinds (flock, leases, OFD locks) and lines that
// cannot be understood are skipped. `locks` is replaced.
void parse_locks(std::string_view text, std::span<const uint64_t> inodes,
                 std::vector<FileLock>& locks);

// How a file is recognised in /proc/locks.
struct FileIdentity {
  dev_t device = 0;
  uint64_t inode = 0;
  // Overlay and btrfs show programs another device number than the one locks carry: there the
  // inode alone decides.
  bool any_device = false;
  // Locks belong to a server (NFS, SMB, FUSE), so that asking for one may take a network's time.
  bool remote = false;

  bool matches(const FileLock& lock) const;
};

// The identity of an open file; nothing when it cannot be had.
std::optional<FileIdentity> identify(int fd);

// Which lock stops other writers.
enum class WriteLock {
  kNone,
  kWrite,      // WAL: byte 120 of the -shm file
  kReserved,   // rollback journal: a writer prepares, readers still come in
  kPending,    // rollback journal: a writer waits for readers to leave
  kExclusive,  // rollback journal (or exclusive mode): nobody else may even read
};
const char* write_lock_name(WriteLock lock);

// Who keeps others out of one database at one instant. A pid of 0 is a process that plumb's PID
// namespace does not show.
struct LockState {
  WriteLock held = WriteLock::kNone;
  int32_t holder = 0;
  std::optional<int32_t> checkpointer;  // holds byte 121 of the -shm file
  std::optional<int32_t> recoverer;     // holds byte 122: rebuilds the -shm file

  // What one lock on the database file, or on the -shm file, adds to it.
  void add_database_lock(const FileLock& lock);
  void add_shm_lock(const FileLock& lock);
};

// A shared lock on one of the bytes 123 to 127 of the -shm file.
struct ReaderLock {
  int32_t pid = 0;
  int slot = 0;
};

// What /proc/locks says of one database.
struct LockListing {
  LockState state;
  // Processes with any lock on either file. In WAL mode that is every process with the database
  // open, since each keeps byte 128 of the -shm file. Ascending, no duplicates.
  std::vector<int32_t> present;
  std::vector<ReaderLock> readers;
};

// `shm` is null when there is no -shm file.
void list_locks(const std::vector<FileLock>& locks, const FileIdentity& database,
                const FileIdentity* shm, LockListing& listing);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_
