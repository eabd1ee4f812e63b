// Whether and how a database file may be opened without writing a byte, told from the raw file.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_FILE_CHECK_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_FILE_CHECK_H_

#include <cstdint>
#include <plumb/status.hpp>
#include <string>

#include "plugins/sqlite_stats/descriptor.h"

namespace plumb::sqlite_inspect {

enum class Access {
  kJournal,       // rollback journal: shared locks for the length of each query
  kSharedMemory,  // WAL in use: the -shm file is mapped read-only
  kClosed,        // WAL mode, and no process has it open: the file alone holds everything
};

// Keeps the file open for as long as it lives. It must outlive every SQLite connection to the file:
// closing any descriptor of a file drops this process's locks on it.
class FileCheck {
 public:
  // The failure says why the file cannot be inspected and what to do.
  static Result<FileCheck> open(const std::string& path);

  Access access() const { return access_; }
  uint64_t bytes() const { return bytes_; }
  // Another process is about to write with a rollback journal, and would wait for our shared lock.
  bool writer_waits() const;
  // Of a closed database: nobody has opened or changed it since.
  bool still_closed() const;

 private:
  FileCheck(std::string path, sqlite_stats::Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Status look();

  std::string path_;
  sqlite_stats::Descriptor file_;
  Access access_ = Access::kJournal;
  uint64_t bytes_ = 0;
  int64_t changed_s_ = 0;
  int64_t changed_ns_ = 0;
};

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_FILE_CHECK_H_
