#include "file_format.h"

#include <cstring>

namespace plumb::sqlite_stats {
namespace {

constexpr char kMagic[] = "SQLite format 3";
constexpr size_t kWalHeaderBytes = 48;
constexpr size_t kChangesOffset = 8;
constexpr size_t kInitialisedOffset = 12;
constexpr size_t kPageSizeOffset = 14;
constexpr size_t kFramesOffset = 16;
constexpr size_t kBackfilledOffset = 96;
// A counter that seems to have jumped by more than this has started again instead.
constexpr uint32_t kLargestGrowth = 1u << 30;

// The WAL index is shared memory: written in the byte order of this machine.
template <typename T>
T native(std::span<const uint8_t> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

uint32_t big_endian(std::span<const uint8_t> bytes, size_t offset, size_t length) {
  uint32_t value = 0;
  for (size_t i = 0; i < length; ++i) value = value << 8 | bytes[offset + i];
  return value;
}

uint32_t page_size(uint32_t stored) { return stored == 1 ? 65536 : stored; }

}  // namespace

std::optional<DatabaseHeader> parse_database_header(std::span<const uint8_t> bytes) {
  if (bytes.size() < kDatabaseHeaderBytes) return std::nullopt;
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return std::nullopt;
  return DatabaseHeader{page_size(big_endian(bytes, 16, 2)), bytes[18] == 2 && bytes[19] == 2,
                        big_endian(bytes, 24, 4)};
}

std::optional<WalIndex> parse_wal_index(std::span<const uint8_t> bytes) {
  if (bytes.size() < kWalIndexBytes) return std::nullopt;
  if (bytes[kInitialisedOffset] == 0) return std::nullopt;
  if (std::memcmp(bytes.data(), bytes.data() + kWalHeaderBytes, kWalHeaderBytes) != 0)
    return std::nullopt;
  return WalIndex{
      native<uint32_t>(bytes, kChangesOffset), page_size(native<uint16_t>(bytes, kPageSizeOffset)),
      native<uint32_t>(bytes, kFramesOffset), native<uint32_t>(bytes, kBackfilledOffset)};
}

uint32_t counter_growth(uint32_t before, uint32_t after) {
  const uint32_t growth = after - before;
  return growth <= kLargestGrowth ? growth : after;
}

}  // namespace plumb::sqlite_stats
