// What the first bytes of a database file and of its -shm file say (SQLite's file format and WAL
// index format). Pure: bytes in, values out.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_
#define PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace plumb::sqlite_stats {

constexpr size_t kDatabaseHeaderBytes = 100;
constexpr size_t kWalIndexBytes = 136;

// In WAL mode these are as of the last checkpoint that copied page 1 back.
struct DatabaseHeader {
  uint32_t page_bytes = 0;
  bool wal = false;             // read and write versions (bytes 18 and 19) are both 2
  uint32_t change_counter = 0;  // counts commits in rollback mode only
  // Nothing where a program that does not keep it (SQLite before 3.7) wrote last.
  std::optional<uint32_t> pages;
  uint32_t free_pages = 0;
  bool auto_vacuum = false;
  bool incremental_vacuum = false;
  uint32_t user_version = 0;
  uint32_t application_id = 0;
  uint32_t sqlite_version = 0;  // that wrote last: 3040001 is 3.40.1

  const char* auto_vacuum_name() const;
};

// Nothing for an empty, encrypted or foreign file.
std::optional<DatabaseHeader> parse_database_header(std::span<const uint8_t> bytes);

// "3.40.1"; empty for 0, which no SQLite has written.
std::string version_text(uint32_t sqlite_version);

constexpr size_t kReadMarks = 5;
// The mark of a slot that no reader has ever taken.
constexpr uint32_t kUnusedMark = 0xffffffff;

struct WalIndex {
  uint32_t changes = 0;  // grows by one with each commit, through WAL resets
  uint32_t page_bytes = 0;
  uint32_t frames = 0;      // valid frames in the WAL
  uint32_t pages = 0;       // size of the database as of the last commit
  uint32_t generation = 0;  // grows by one with each WAL reset; random for a new WAL file
  uint32_t backfilled = 0;  // of the frames, those already copied into the database
  std::array<uint32_t, kReadMarks> read_marks{};

  uint32_t checkpoint_debt() const { return frames > backfilled ? frames - backfilled : 0; }
};

// Nothing when the header is not written yet, or when its two copies differ: then a writer was
// just at it, and the next read will do.
std::optional<WalIndex> parse_wal_index(std::span<const uint8_t> bytes);

// Commits between two readings of iChange, a 32-bit counter that wraps around, or starts again at
// zero when the -shm file is rebuilt by recovery.
uint32_t counter_growth(uint32_t before, uint32_t after);

// The same of the change counter of the database header, which starts nowhere again: one that fell
// belongs to other content, and nothing can be counted.
std::optional<uint32_t> change_counter_growth(uint32_t before, uint32_t after);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_
