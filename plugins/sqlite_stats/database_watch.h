// Everything sampled of one database: who holds its locks, what it commits, how it grows. Who waits
// for it is found by a WaiterWatch, which serves all databases, and told to it.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "database_files.h"
#include "database_series.h"
#include "hold.h"
#include "hold_lengths.h"
#include "locks.h"
#include "openers.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "readers.h"
#include "recent_pids.h"
#include "sync_watch.h"
#include "time_mean.h"
#include "waiters.h"

namespace plumb::sqlite_stats {

// Where the state of the locks comes from at each tick.
enum class LockReading {
  kAsk,   // the kernel, file by file
  kList,  // /proc/locks, read at each tick: where a file system does not answer, or not quickly
};

// Not thread-safe. Life: declare, tick*, flush*, report*.
class DatabaseWatch {
 public:
  // `walk` must outlive it.
  DatabaseWatch(const Host& host, std::string path, proc::Root root, LockReading reading,
                OpenerWalk& walk);

  // Declares the series; before the first tick.
  Status declare();
  // One sample, meant for about 100 Hz; what costs more is done less often inside. `listing` is
  // what /proc/locks says now: needed where needs_listing(), else null.
  Status tick(int64_t now_ns, const std::vector<FileLock>* listing);
  // To be called of all databases before contention() of any: one walk finds who uses them.
  void want_openers(int64_t now_ns);
  // The lock as of the last tick, and who may be waiting for it; nothing when nobody can be, or
  // when nothing is known of its locks. Valid until the next call.
  std::optional<Contention> contention(int64_t now_ns);
  // What a look at the threads found: how many wait for this database, and who was syncing a file.
  // `waiters` is nothing where it could not be seen.
  void take_look(int64_t now_ns, std::optional<double> waiters, const std::vector<SyncCall>& syncs);
  // A look at which there was no contention.
  void take_idle_look(int64_t now_ns);

  // Emits the counters as of now.
  Status flush(int64_t now_ns);
  // Emits what the ticks since the last report amount to, and begins anew.
  Status report(int64_t now_ns);
  // The watch is over: tells of a database that never came.
  Status finish();

  // True when tick needs a listing each time.
  bool needs_listing() const { return reading_ == LockReading::kList; }
  // Nobody has written for this long, as far as was seen; 0 while somebody holds the write lock.
  int64_t idle_ns(int64_t now_ns) const;
  void add_inodes(std::vector<uint64_t>& inodes) const;
  const DatabaseFiles& files() const { return files_; }
  // What it is called in labels, tables and messages.
  const std::string& name() const { return name_; }

  // What cannot be watched now and what to do about it; empty when all is well.
  const std::string& problem() const { return problem_; }
  // Whether there is a database to watch: a file that is one, or that is still empty.
  bool is_there() const;
  // That the file ends within an SQLite database's header; empty when it does not.
  std::string cut_off() const;
  // Something else to say of it in the table sqlite_databases.
  void set_note(std::string note) { note_ = std::move(note); }
  // True when its counters can be read, so that one that stands still says that nothing happened.
  bool counters_known() const;

  // Append this database's rows to the tables sqlite_lock_holders, sqlite_readers and
  // sqlite_databases (see tables.h for the columns).
  void add_holder_rows(nlohmann::json& rows) const;
  void add_reader_rows(nlohmann::json& rows) const;
  void add_database_row(nlohmann::json& rows) const;

 private:
  Status refresh_files(int64_t now_ns);
  std::string problem_of_files() const;
  Status tell_change(DatabaseFiles::Change change, int64_t now_ns);
  std::string missing_problem() const;
  // False when nothing can be said of the locks at this tick.
  bool read_locks(const std::vector<FileLock>* listing);
  // Of a database that was idle at the last tick: nobody holds a lock now either, and a whole tick
  // is not due yet.
  bool still_idle(int64_t now_ns);
  Status full_tick(int64_t now_ns, const std::vector<FileLock>* listing);
  void account(int64_t now_ns);
  Status watch_hold(int64_t now_ns);
  Status watch_readers(int64_t now_ns);
  // The processes that use the database, ascending.
  const std::vector<int32_t>& openers(int64_t now_ns);
  std::vector<std::string> notes() const;

  const Host host_;
  const std::string path_;
  const std::string name_;
  const proc::Root root_;
  LockReading reading_;
  OpenerWalk& walk_;
  DatabaseFiles files_;
  LockListing listing_;                   // where there are listings
  LockState locks_;                       // as of the last tick
  std::vector<ReaderLock> reader_locks_;  // as of the last look at readers
  RecentPids lock_holders_;
  HoldTracker holds_;
  HoldLengths lengths_;
  ReaderWatch readers_;
  TimeMean waiters_;
  SyncWatch syncs_;
  proc::Buffer buffer_;
  DatabaseSeries series_;
  std::string problem_;
  std::string file_problem_;
  std::string note_;

  int64_t next_full_tick_ns_ = 0;
  int64_t seen_free_ns_ = 0;  // by still_idle, since the last whole tick
  int64_t next_refresh_ns_ = 0;
  int64_t next_readers_ns_ = 0;
  int64_t last_tick_ns_ = 0;
  int64_t next_recovery_event_ns_ = 0;
  std::array<bool, kLockKinds> was_held_{};  // at the last tick
  int64_t last_held_ns_ = 0;                 // seen
  int64_t last_write_ns_ = 0;                // seen, or concluded from a commit between two ticks
  uint64_t counted_commits_ = 0;             // by account
  uint64_t commits_before_ = 0;              // at the last whole tick
  int64_t last_hold_start_ns_ = 0;
  double held_share_ = 0;  // of the last second or so
  int64_t first_tick_ns_ = 0;
  bool ever_held_ = false;
  bool ever_written_ = false;
  bool ever_open_ = false;
  std::vector<int32_t> openers_;
  bool threads_hidden_ = false;  // as of the last look while there was contention

  // Since the last report.
  int64_t watched_ns_ = 0;
  int64_t write_held_ns_ = 0;
  std::array<int64_t, kLockKinds> held_ns_{};
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DATABASE_WATCH_H_
