// What the first bytes of a database file and of its -shm file say (SQLite's file format and WAL
// index format). Pure: bytes in, values out.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_
#define PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace plumb::sqlite_stats {

constexpr size_t kDatabaseHeaderBytes = 100;
constexpr size_t kWalIndexBytes = 136;

struct DatabaseHeader {
  uint32_t page_bytes = 0;
  bool wal = false;             // read and write versions (bytes 18 and 19) are both 2
  uint32_t change_counter = 0;  // counts commits in rollback mode only
};

// Nothing for an empty or foreign file.
std::optional<DatabaseHeader> parse_database_header(std::span<const uint8_t> bytes);

struct WalIndex {
  uint32_t changes = 0;  // grows by one with each commit, through WAL resets
  uint32_t page_bytes = 0;
  uint32_t frames = 0;      // valid frames in the WAL
  uint32_t backfilled = 0;  // of these, frames already copied into the database

  uint32_t checkpoint_debt() const { return frames > backfilled ? frames - backfilled : 0; }
};

// Nothing when the header is not written yet, or when its two copies differ: then a writer was
// just at it, and the next read will do.
std::optional<WalIndex> parse_wal_index(std::span<const uint8_t> bytes);

// Commits between two readings of a 32-bit counter that wraps around, or starts again at zero when
// the -shm file is rebuilt by recovery.
uint32_t counter_growth(uint32_t before, uint32_t after);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_FILE_FORMAT_H_
