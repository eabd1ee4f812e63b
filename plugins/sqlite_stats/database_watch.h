// Everything sampled of one database: who holds its write lock, who waits for it, what it commits.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "database_files.h"
#include "hold.h"
#include "locks.h"
#include "waiters.h"

namespace plumb::sqlite_stats {

// Not thread-safe. Life: declare, tick*, flush_commits*, report*.
class DatabaseWatch {
 public:
  // `proc_root` is "/proc"; tests bring their own.
  DatabaseWatch(const Host& host, std::string path, std::string proc_root);

  // Declares the series; before the first tick.
  Status declare();
  // One sample, given the locks of the whole machine. Meant for about 100 Hz; what costs more is
  // done less often inside.
  Status tick(int64_t now_ns, const std::vector<FileLock>& locks);
  // Emits the commit counter as of now.
  Status flush_commits(int64_t now_ns);
  // Emits what the ticks since the last report amount to, and begins anew.
  Status report(int64_t now_ns);

  // What cannot be watched now and what to do about it; empty when all is well.
  const std::string& problem() const { return problem_; }

  // Appends this database's rows to the tables sqlite_lock_holders and sqlite_databases.
  void add_holder_rows(nlohmann::json& rows) const;
  void add_database_row(nlohmann::json& rows) const;

 private:
  Status refresh_files(int64_t now_ns);
  Status watch_hold(int64_t now_ns);
  void sample_waiters(int64_t now_ns);
  const std::vector<int32_t>& openers(int64_t now_ns);
  std::string journal_mode() const;
  std::string notes() const;

  const Host host_;
  const std::string path_;
  const std::string proc_root_;
  DatabaseFiles files_;
  LockView view_;
  HoldTracker holds_;
  WaiterWatch waiters_;
  std::string problem_;
  std::string file_problem_;

  Series ratio_, waiting_, commits_, debt_, wal_bytes_, database_bytes_;

  int64_t next_refresh_ns_ = 0;
  int64_t next_look_ns_ = 0;
  int64_t next_idle_look_ns_ = 0;
  int64_t next_walk_ns_ = 0;
  int64_t last_tick_ns_ = 0;
  bool was_held_ = false;
  int64_t last_held_ns_ = 0;   // seen
  int64_t last_write_ns_ = 0;  // seen, or concluded from a commit between two looks
  std::optional<uint32_t> last_mark_;
  int64_t last_hold_start_ns_ = 0;
  bool ever_held_ = false;
  bool ever_written_ = false;
  std::vector<int32_t> openers_;

  // Since the last report.
  int64_t watched_ns_ = 0;
  int64_t held_ns_ = 0;
  int looks_ = 0;
  int waiters_seen_ = 0;
  bool waiters_unknown_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_
