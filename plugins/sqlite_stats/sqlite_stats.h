// The sampler: watches SQLite databases from outside the application.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "changed_tables.h"
#include "database_watch.h"
#include "inspections.h"
#include "locks.h"
#include "openers.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "waiters.h"
#include "watched_paths.h"

namespace plumb::sqlite_stats {

// See docs/signals.md for what it emits. Never opens an SQLite connection.
class SqliteStats final : public Sampler {
 public:
  explicit SqliteStats(Host host) : SqliteStats(host, proc::Root{}, LockReading::kAsk) {}
  // Tests bring their own /proc, which knows locks only as a list.
  SqliteStats(Host host, proc::Root root, LockReading reading)
      : Sampler(host),
        root_(std::move(root)),
        reading_(reading),
        walk_(root_, [host] { return host.now_ns(); }),
        waiters_(root_),
        tables_(host) {}

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;

 private:
  Status watch_new_paths();
  Status tick(int64_t now_ns);
  bool read_listing();
  // Who waits for which database: one look at the threads for all of them.
  void look_at_threads(int64_t now_ns);
  Status emit_tables();
  void tell_health();

  const proc::Root root_;
  const LockReading reading_;
  OpenerWalk walk_;
  std::optional<WatchedPaths> paths_;
  std::vector<std::unique_ptr<DatabaseWatch>> watches_;
  WaiterWatch waiters_;
  std::vector<Contention> contentions_;
  std::vector<DatabaseWatch*> contended_;
  ChangedTables tables_;
  std::unique_ptr<Inspections> inspections_;
  proc::KeptFile locks_file_;
  proc::Buffer buffer_;
  std::vector<uint64_t> inodes_;
  std::vector<FileLock> locks_;
  std::string locks_problem_;
  int64_t next_find_ns_ = 0;
  int64_t next_look_ns_ = 0;
  int64_t next_idle_look_ns_ = 0;
  int64_t next_chores_ns_ = 0;
  int64_t next_report_ns_ = 0;
  int64_t next_tables_ns_ = 0;
  std::string told_problem_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_
