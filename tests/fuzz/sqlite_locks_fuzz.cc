// Any bytes as /proc/locks: no crash, and only locks on the files asked for, with ranges that make
// sense.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "plugins/sqlite_stats/locks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumb::sqlite_stats::FileIdentity;
  constexpr std::array<uint64_t, 3> kInodes = {7, 100, 101};
  std::vector<plumb::sqlite_stats::FileLock> locks;
  plumb::sqlite_stats::parse_locks({reinterpret_cast<const char*>(data), size}, kInodes, locks);
  for (const auto& lock : locks) {
    if (std::find(kInodes.begin(), kInodes.end(), lock.inode) == kInodes.end()) __builtin_trap();
    if (lock.start < 0 || lock.end < lock.start) __builtin_trap();
  }
  const FileIdentity database{0xfe00, 100, true, false};
  const FileIdentity shm{0xfe00, 101, true, false};
  plumb::sqlite_stats::LockListing listing;
  plumb::sqlite_stats::list_locks(locks, database, &shm, listing);
  if (!std::is_sorted(listing.present.begin(), listing.present.end())) __builtin_trap();
  for (const auto& reader : listing.readers) {
    if (reader.slot < 0 || reader.slot > 4) __builtin_trap();
  }
  return 0;
}
