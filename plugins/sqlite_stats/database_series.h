// The series of one database; see docs/signals.md.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DATABASE_SERIES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DATABASE_SERIES_H_

#include <array>
#include <cstddef>
#include <plumb/plugin.hpp>
#include <string>

namespace plumb::sqlite_stats {

// The locks whose share of time is told apart: label `lock` of sqlite_lock_ratio.
enum class LockKind { kWrite, kCheckpoint, kRecover, kReserved, kPending, kExclusive };
constexpr size_t kLockKinds = 6;

struct DatabaseSeries {
  Series write_lock_ratio, waiters;
  std::array<Series, kLockKinds> lock_ratio;
  Series hold_seconds;
  Series commits, wal_frames, checkpoints, checkpointed_pages, wal_resets;
  Series debt, pinned_frames, oldest_reader;
  Series wal_bytes, database_bytes, database_pages, free_pages;

  // Declares them all with the label `database`.
  static Result<DatabaseSeries> declare(const Host& host, const std::string& database);
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DATABASE_SERIES_H_
