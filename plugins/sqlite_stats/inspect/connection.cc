#include "connection.h"

#include <sqlite3.h>

namespace plumb::sqlite_inspect {
namespace {

// Virtual-machine instructions between two looks at the clock and at writers: some 20 µs.
constexpr int kProgressEvery = 500;
constexpr int kBusyTimeoutMs = 20;
constexpr int64_t kMostHeap = 64 << 20;
constexpr int kMostSqlBytes = 256 << 10;

std::string uri_of(const std::string& path, Access access) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  out += "?mode=ro";
  if (access == Access::kSharedMemory) out += "&readonly_shm=1";
  if (access == Access::kClosed) out += "&immutable=1";
  return out;
}

}  // namespace

Connection::Connection(const std::string& path, const FileCheck& file, const char* vfs,
                       Clock::time_point deadline)
    : file_(file),
      deadline_(deadline),
      until_(deadline),
      database_(uri_of(path, file.access()), SQLite::OPEN_READONLY | SQLite::OPEN_URI,
                kBusyTimeoutMs, vfs) {
  sqlite3* db = database_.getHandle();
  sqlite3_hard_heap_limit64(kMostHeap);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, kMostSqlBytes);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // What a stranger's schema defines is looked at, not run.
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  int persist = 1;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  sqlite3_progress_handler(db, kProgressEvery, on_progress, this);
  database_.exec("PRAGMA query_only=1");
  database_.exec("PRAGMA temp_store=memory");
}

int Connection::on_progress(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.file_.access() == Access::kJournal && connection.file_.writer_waits()) {
    connection.gave_way_ = true;
    return 1;
  }
  return Clock::now() >= connection.until_ ? 1 : 0;
}

std::string identifier_of(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace plumb::sqlite_inspect
