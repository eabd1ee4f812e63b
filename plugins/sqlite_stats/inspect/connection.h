// A connection that reads and does nothing else, and gives way to writers and to the clock.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_CONNECTION_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_CONNECTION_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <plumb/status.hpp>
#include <string>

#include "file_check.h"

namespace plumb::sqlite_inspect {

// One thread. `file` must outlive it.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws SQLite::Exception when SQLite cannot open the file.
  Connection(const std::string& path, const FileCheck& file, const char* vfs,
             Clock::time_point deadline);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SQLite::Database& database() { return database_; }
  // Queries are cut short from here on, at the latest; until `until` if that is earlier.
  void limit(Clock::time_point until) { until_ = until < deadline_ ? until : deadline_; }
  void unlimit() { until_ = deadline_; }

  // What cut the last query short.
  bool gave_way() const { return gave_way_; }

 private:
  static int on_progress(void* self);

  const FileCheck& file_;
  const Clock::time_point deadline_;
  Clock::time_point until_;
  bool gave_way_ = false;
  SQLite::Database database_;
};

// "name" as an SQL identifier.
std::string identifier_of(const std::string& name);

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_CONNECTION_H_
