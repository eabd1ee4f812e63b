// Any bytes as the start of a database file and of a -shm file: no crash, no size that SQLite
// cannot have written, no debt larger than the WAL; and readers of it are never held to pin more
// than there is.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "plugins/sqlite_stats/file_format.h"
#include "plugins/sqlite_stats/readers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::sqlite_stats;
  const std::span<const uint8_t> bytes(data, size);
  if (const auto header = parse_database_header(bytes)) {
    if (header->page_bytes < 512 || header->page_bytes > 65536) __builtin_trap();
    if (header->auto_vacuum_name() == nullptr) __builtin_trap();
    version_text(header->sqlite_version);
  }
  // The two copies of the index header must agree: half of the inputs are helped to.
  std::vector<uint8_t> index(bytes.begin(), bytes.end());
  if (index.size() >= kWalIndexBytes && index[0] % 2 == 0) {
    std::memcpy(index.data() + 48, index.data(), 48);
  }
  const auto wal = parse_wal_index(index);
  if (!wal) return 0;
  if (wal->checkpoint_debt() > wal->frames) __builtin_trap();
  ReaderWatch readers;
  std::vector<ReaderLock> locks;
  for (int slot = 0; slot < 5; ++slot) locks.push_back({100 + slot, slot});
  readers.look(1, locks, *wal);
  readers.look(2'000'000'000, locks, *wal);
  readers.take_news();
  if (readers.held_back() > wal->frames) __builtin_trap();
  readers.clear();
  if (readers.worst().size() > ReaderWatch::kMostPinsKept) __builtin_trap();
  return 0;
}
