// What can be said from outside of PRAGMA synchronous. The setting lives in each connection and is
// written nowhere; its effect can be met: a thread inside fdatasync() of one of the database's
// files.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_SYNC_WATCH_H_
#define PLUMB_PLUGINS_SQLITE_STATS_SYNC_WATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "database_files.h"
#include "locks.h"
#include "plugins/proc/root.h"
#include "waiters.h"

namespace plumb::sqlite_stats {

// Not thread-safe.
class SyncWatch {
 public:
  explicit SyncWatch(proc::Root root) : root_(std::move(root)) {}

  // One look at the threads while `locks` were held (read just before).
  void look(const std::vector<SyncCall>& calls, const LockState& locks, const DatabaseFiles& files);
  // One sentence for people, which claims no more than was seen.
  std::string summary(bool wal) const;

 private:
  proc::Root root_;
  uint64_t looks_ = 0;
  uint64_t commit_syncs_ = 0;
  uint64_t other_syncs_ = 0;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_SYNC_WATCH_H_
