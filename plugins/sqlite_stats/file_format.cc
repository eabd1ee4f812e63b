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
constexpr size_t kPagesOffset = 20;
constexpr size_t kSaltOffset = 32;
constexpr size_t kBackfilledOffset = 96;
constexpr size_t kReadMarksOffset = 100;
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

// A size that SQLite can have written: a power of two from 512 to 65536.
bool is_page_size(uint32_t bytes) {
  return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) == 0;
}

}  // namespace

const char* DatabaseHeader::auto_vacuum_name() const {
  if (!auto_vacuum) return "none";
  return incremental_vacuum ? "incremental" : "full";
}

std::optional<DatabaseHeader> parse_database_header(std::span<const uint8_t> bytes) {
  if (bytes.size() < kDatabaseHeaderBytes) return std::nullopt;
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return std::nullopt;
  const auto field = [bytes](size_t offset) { return big_endian(bytes, offset, 4); };
  DatabaseHeader header;
  header.page_bytes = page_size(big_endian(bytes, 16, 2));
  if (!is_page_size(header.page_bytes)) return std::nullopt;
  header.wal = bytes[18] == 2 && bytes[19] == 2;
  header.change_counter = field(24);
  // The size counts only when whoever wrote last knew the field.
  if (field(28) != 0 && field(92) == field(24)) header.pages = field(28);
  header.free_pages = field(36);
  header.auto_vacuum = field(52) != 0;
  header.incremental_vacuum = field(64) != 0;
  header.user_version = field(60);
  header.application_id = field(68);
  header.sqlite_version = field(96);
  return header;
}

std::string version_text(uint32_t sqlite_version) {
  if (sqlite_version == 0) return {};
  return std::to_string(sqlite_version / 1'000'000) + "." +
         std::to_string(sqlite_version / 1'000 % 1'000) + "." +
         std::to_string(sqlite_version % 1'000);
}

std::optional<WalIndex> parse_wal_index(std::span<const uint8_t> bytes) {
  if (bytes.size() < kWalIndexBytes) return std::nullopt;
  if (bytes[kInitialisedOffset] == 0) return std::nullopt;
  if (std::memcmp(bytes.data(), bytes.data() + kWalHeaderBytes, kWalHeaderBytes) != 0)
    return std::nullopt;
  WalIndex index;
  index.changes = native<uint32_t>(bytes, kChangesOffset);
  index.page_bytes = page_size(native<uint16_t>(bytes, kPageSizeOffset));
  index.frames = native<uint32_t>(bytes, kFramesOffset);
  index.pages = native<uint32_t>(bytes, kPagesOffset);
  index.generation = big_endian(bytes, kSaltOffset, 4);
  index.backfilled = native<uint32_t>(bytes, kBackfilledOffset);
  for (size_t i = 0; i < kReadMarks; ++i)
    index.read_marks[i] = native<uint32_t>(bytes, kReadMarksOffset + i * sizeof(uint32_t));
  return index;
}

uint32_t counter_growth(uint32_t before, uint32_t after) {
  const uint32_t growth = after - before;
  return growth <= kLargestGrowth ? growth : after;
}

std::optional<uint32_t> change_counter_growth(uint32_t before, uint32_t after) {
  const uint32_t growth = after - before;
  return growth <= kLargestGrowth ? std::optional(growth) : std::nullopt;
}

}  // namespace plumb::sqlite_stats
