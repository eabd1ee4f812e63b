#include "database_series.h"

#include <utility>
#include <vector>

namespace plumb::sqlite_stats {
namespace {

constexpr std::array kLockKindNames = {"write",    "checkpoint", "recover",
                                       "reserved", "pending",    "exclusive"};
static_assert(kLockKindNames.size() == kLockKinds);

}  // namespace

Result<DatabaseSeries> DatabaseSeries::declare(const Host& host, const std::string& database) {
  DatabaseSeries out;
  Status failed;
  const auto declare = [&](SeriesSpec spec) {
    spec.layer = PLUMB_LAYER_DATABASE;
    spec.labels.insert(spec.labels.begin(), {"database", database});
    const Result<Series> series = host.declare(spec);
    if (!series.is_ok() && failed.is_ok()) failed = series.status();
    return series.is_ok() ? *series : Series{};
  };
  const auto counter = [&](std::string name, std::string unit, std::string help) {
    return declare({.name = std::move(name),
                    .unit = std::move(unit),
                    .kind = PLUMB_KIND_COUNTER,
                    .help = std::move(help)});
  };
  const auto gauge = [&](std::string name, std::string unit, std::string help) {
    return declare({.name = std::move(name), .unit = std::move(unit), .help = std::move(help)});
  };

  out.write_lock_ratio =
      declare({.name = "sqlite_write_lock_ratio",
               .unit = "ratio",
               .part = PLUMB_PART_UTILISATION,
               .help = "Share of the last second in which the write lock was held.",
               .resource = "SQLite's write lock"});
  out.waiters = declare({.name = "sqlite_waiters",
                         .unit = "threads",
                         .part = PLUMB_PART_WAIT,
                         .help = "threads waiting for SQLite's write lock",
                         .ledger_line = "database.sqlite_lock"});
  for (size_t i = 0; i < kLockKinds; ++i) {
    out.lock_ratio.at(i) = declare({.name = "sqlite_lock_ratio",
                                    .unit = "ratio",
                                    .help = "Share of the last second in which this lock was held.",
                                    .labels = {{"lock", kLockKindNames.at(i)}}});
  }
  out.hold_seconds = declare({.name = "sqlite_write_hold_seconds",
                              .unit = "seconds",
                              .kind = PLUMB_KIND_HISTOGRAM,
                              .part = PLUMB_PART_BUSY,
                              .help = "How long a writer held the write lock, in nanoseconds."});
  out.commits = counter("sqlite_commits_total", "commits",
                        "Write transactions committed since the watch began.");
  out.wal_frames = counter("sqlite_wal_frames_total", "pages", "Pages written to the WAL.");
  out.checkpoints = counter("sqlite_checkpoints_total", "checkpoints",
                            "Checkpoints that copied pages back into the database.");
  out.checkpointed_pages = counter("sqlite_checkpointed_pages_total", "pages",
                                   "WAL frames that checkpoints have moved past.");
  out.wal_resets =
      counter("sqlite_wal_resets_total", "resets", "Times the WAL began again at its start.");
  out.debt = declare({.name = "sqlite_checkpoint_debt_pages",
                      .unit = "pages",
                      .part = PLUMB_PART_SATURATION,
                      .help = "WAL pages not yet copied back into the database."});
  out.pinned_frames = gauge("sqlite_checkpoint_pinned_frames", "pages",
                            "WAL pages that no checkpoint can copy back while a reader reads.");
  out.oldest_reader = gauge("sqlite_oldest_reader_seconds", "seconds",
                            "How long the oldest reader has been behind the last commit.");
  out.wal_bytes = gauge("sqlite_wal_bytes", "bytes",
                        "Size of the WAL file: its high-water mark, it does not shrink.");
  out.database_bytes = gauge("sqlite_database_bytes", "bytes", "Size of the database file.");
  out.database_pages =
      gauge("sqlite_database_pages", "pages", "Pages of the database as of the last commit.");
  out.free_pages = gauge("sqlite_free_pages", "pages",
                         "Unused pages, of a WAL database as of the last checkpoint.");
  if (!failed.is_ok()) return failed;
  return out;
}

}  // namespace plumb::sqlite_stats
