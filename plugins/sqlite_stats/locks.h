// The kernel's file locks, as /proc/locks prints them, and what SQLite means by them.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace plumb::sqlite_stats {

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
};

// The POSIX locks in the text of /proc/locks, in its order. Lines of other kinds (flock, leases,
// OFD locks) and lines that cannot be understood are skipped. `locks` is replaced.
void parse_locks(std::string_view text, std::vector<FileLock>& locks);

// How a file is recognised in /proc/locks.
struct FileIdentity {
  dev_t device = 0;
  uint64_t inode = 0;
  // Overlay and btrfs show programs another device number than the one locks carry: there the
  // inode alone decides.
  bool any_device = false;

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

// What /proc/locks says of one database at one instant.
struct LockView {
  WriteLock held = WriteLock::kNone;
  int32_t holder = 0;
  // Processes blocked in the kernel for the write lock (SQLite built to wait in fcntl): exact.
  int blocked = 0;
  // Processes with any lock on either file. In WAL mode that is every process with the database
  // open, since each keeps byte 128 of the -shm file. Ascending, no duplicates.
  std::vector<int32_t> present;
};

// `shm` is null when there is no -shm file.
void view_locks(const std::vector<FileLock>& locks, const FileIdentity& database,
                const FileIdentity* shm, LockView& view);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_LOCKS_H_
