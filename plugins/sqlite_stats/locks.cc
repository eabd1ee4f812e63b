#include "locks.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "file_format.h"
#include "plugins/proc/fields.h"

namespace plumb::sqlite_stats {
namespace {

using proc::next_word;
using proc::to_number;

constexpr uint32_t kOverlayMagic = 0x794c7630;
constexpr uint32_t kBtrfsMagic = 0x9123683e;
constexpr uint32_t kNfsMagic = 0x6969;
constexpr uint32_t kSmbMagic = 0x517b;
constexpr uint32_t kCifsMagic = 0xff534d42;
constexpr uint32_t kSmb2Magic = 0xfe534d42;
constexpr uint32_t kFuseMagic = 0x65735546;

bool is_remote(uint32_t magic) {
  return magic == kNfsMagic || magic == kSmbMagic || magic == kCifsMagic || magic == kSmb2Magic ||
         magic == kFuseMagic;
}

bool hex_number(std::string_view text, uint32_t& value) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, 16);
  return error == std::errc() && at == end;
}

template <typename T>
bool read_number(std::string_view text, T& value) {
  const auto number = to_number<T>(text);
  value = number.value_or(T{});
  return number.has_value();
}

// "fe:00:10952902": device numbers in hex, inode in decimal. The inode decides whether the rest of
// the line is worth reading, so it comes first.
bool parse_file(std::string_view text, std::span<const uint64_t> inodes, FileLock& lock) {
  const size_t second = text.rfind(':');
  if (second == std::string_view::npos || second == 0) return false;
  if (!read_number(text.substr(second + 1), lock.inode)) return false;
  if (!std::binary_search(inodes.begin(), inodes.end(), lock.inode)) return false;
  const size_t first = text.rfind(':', second - 1);
  if (first == std::string_view::npos) return false;
  return hex_number(text.substr(0, first), lock.device_major) &&
         hex_number(text.substr(first + 1, second - first - 1), lock.device_minor);
}

// "1: POSIX  ADVISORY  WRITE 23244 fe:00:10952902 120 120", or "1: -> POSIX ..." for a waiter.
bool parse_line(std::string_view line, std::span<const uint64_t> inodes, FileLock& lock) {
  next_word(line);  // the ordinal
  std::string_view kind = next_word(line);
  if (kind == "->") {
    lock.blocked = true;
    kind = next_word(line);
  }
  if (kind != "POSIX") return false;
  next_word(line);  // ADVISORY
  const std::string_view mode = next_word(line);
  if (mode != "READ" && mode != "WRITE") return false;
  lock.write = mode == "WRITE";
  const std::string_view pid = next_word(line);
  if (!parse_file(next_word(line), inodes, lock) || !read_number(pid, lock.pid)) return false;
  if (!read_number(next_word(line), lock.start) || lock.start < 0) return false;
  const std::string_view end = next_word(line);
  if (end == "EOF") {
    lock.end = std::numeric_limits<int64_t>::max();
    return true;
  }
  return read_number(end, lock.end) && lock.end >= lock.start;
}

// Neighbouring locks of one process come merged into one line, so ranges are tested by overlap.
WriteLock database_lock(const FileLock& lock) {
  if (!lock.write) return WriteLock::kNone;
  if (lock.covers(kSharedFirst, kSharedLast)) return WriteLock::kExclusive;
  if (lock.covers(kPendingByte, kPendingByte)) return WriteLock::kPending;
  if (lock.covers(kReservedByte, kReservedByte)) return WriteLock::kReserved;
  return WriteLock::kNone;
}

}  // namespace

void parse_locks(std::string_view text, std::span<const uint64_t> inodes,
                 std::vector<FileLock>& locks) {
  locks.clear();
  while (!text.empty()) {
    const std::string_view line = proc::next_line(text);
    FileLock lock;
    if (parse_line(line, inodes, lock)) locks.push_back(lock);
  }
}

bool FileIdentity::matches(const FileLock& lock) const {
  if (lock.inode != inode) return false;
  return any_device || (lock.device_major == major(device) && lock.device_minor == minor(device));
}

std::optional<FileIdentity> identify(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return std::nullopt;
  FileIdentity identity{file.st_dev, file.st_ino, false, false};
  struct statfs system {};
  if (::fstatfs(fd, &system) == 0) {
    const auto magic = static_cast<uint32_t>(system.f_type);
    identity.any_device = magic == kOverlayMagic || magic == kBtrfsMagic;
    identity.remote = is_remote(magic);
  }
  return identity;
}

const char* write_lock_name(WriteLock lock) {
  switch (lock) {
    case WriteLock::kNone:
      return "none";
    case WriteLock::kWrite:
      return "WAL write";
    case WriteLock::kReserved:
      return "reserved";
    case WriteLock::kPending:
      return "pending";
    case WriteLock::kExclusive:
      return "exclusive";
  }
  return "none";
}

void LockState::add_database_lock(const FileLock& lock) {
  const WriteLock kind = database_lock(lock);
  if (kind <= held) return;
  held = kind;
  holder = lock.pid;
}

void LockState::add_shm_lock(const FileLock& lock) {
  if (!lock.write) return;
  if (lock.covers(kShmWriteByte, kShmWriteByte) && held < WriteLock::kWrite) {
    held = WriteLock::kWrite;
    holder = lock.pid;
  }
  if (lock.covers(kShmCheckpointByte, kShmCheckpointByte)) checkpointer = lock.pid;
  if (lock.covers(kShmRecoverByte, kShmRecoverByte)) recoverer = lock.pid;
}

void list_locks(const std::vector<FileLock>& locks, const FileIdentity& database,
                const FileIdentity* shm, LockListing& listing) {
  listing.state = {};
  listing.present.clear();
  listing.readers.clear();
  for (const FileLock& lock : locks) {
    const bool on_database = database.matches(lock);
    const bool on_shm = !on_database && shm != nullptr && shm->matches(lock);
    if (!on_database && !on_shm) continue;
    listing.present.push_back(lock.pid);
    if (lock.blocked) continue;
    if (on_database) {
      listing.state.add_database_lock(lock);
      continue;
    }
    listing.state.add_shm_lock(lock);
    for (int slot = 0; !lock.write && slot < static_cast<int>(kReadMarks); ++slot) {
      const int64_t byte = kShmFirstReadByte + slot;
      if (lock.covers(byte, byte)) listing.readers.push_back({lock.pid, slot});
    }
  }
  std::sort(listing.present.begin(), listing.present.end());
  listing.present.erase(std::unique(listing.present.begin(), listing.present.end()),
                        listing.present.end());
}

}  // namespace plumb::sqlite_stats
