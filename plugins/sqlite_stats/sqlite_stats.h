// The sampler: watches the write lock of an SQLite database from outside the application.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_

#include <cstdint>
#include <memory>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "database_watch.h"
#include "descriptor.h"
#include "locks.h"

namespace plumb::sqlite_stats {

// See docs/signals.md for what it emits. Never opens an SQLite connection.
class SqliteStats final : public Sampler {
 public:
  explicit SqliteStats(Host host) : SqliteStats(host, "/proc") {}
  // Tests bring their own /proc.
  SqliteStats(Host host, std::string proc_root) : Sampler(host), proc_root_(std::move(proc_root)) {}

  Status configure(const Config& config) override;
  Status start() override;
  Status collect() override;
  Status stage(const Stage& stage) override;
  Status stop(int64_t deadline_ns) override;

 private:
  bool read_locks();
  Status emit_tables();
  void tell_health();

  const std::string proc_root_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<DatabaseWatch>> watches_;
  Descriptor locks_file_;
  std::string locks_text_;
  std::vector<FileLock> locks_;
  std::string locks_problem_;
  int64_t next_report_ns_ = 0;
  int64_t next_tables_ns_ = 0;
  std::string told_problem_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_SQLITE_STATS_H_
