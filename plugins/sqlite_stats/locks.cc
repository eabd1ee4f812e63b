#include "locks.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kPendingByte = 0x40000000;
constexpr int64_t kReservedByte = kPendingByte + 1;
constexpr int64_t kSharedFirst = kPendingByte + 2;
constexpr int64_t kSharedLast = kSharedFirst + 509;
constexpr int64_t kShmWriteByte = 120;

constexpr uint32_t kOverlayMagic = 0x794c7630;
constexpr uint32_t kBtrfsMagic = 0x9123683e;

std::string_view next_word(std::string_view& line) {
  const size_t from = line.find_first_not_of(' ');
  if (from == std::string_view::npos) return line = {};
  line.remove_prefix(from);
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <typename T>
bool parse_number(std::string_view text, T& value, int base = 10) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && at == end;
}

// "fe:00:10952902": device numbers in hex, inode in decimal.
bool parse_file(std::string_view text, FileLock& lock) {
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return false;
  const size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) return false;
  return parse_number(text.substr(0, first), lock.device_major, 16) &&
         parse_number(text.substr(first + 1, second - first - 1), lock.device_minor, 16) &&
         parse_number(text.substr(second + 1), lock.inode);
}

// "1: POSIX  ADVISORY  WRITE 23244 fe:00:10952902 120 120", or "1: -> POSIX ..." for a waiter.
bool parse_line(std::string_view line, FileLock& lock) {
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
  if (!parse_number(next_word(line), lock.pid)) return false;
  if (!parse_file(next_word(line), lock)) return false;
  if (!parse_number(next_word(line), lock.start)) return false;
  const std::string_view end = next_word(line);
  if (end == "EOF") {
    lock.end = std::numeric_limits<int64_t>::max();
    return true;
  }
  return parse_number(end, lock.end);
}

bool covers(const FileLock& lock, int64_t first, int64_t last) {
  return lock.start <= last && lock.end >= first;
}

// Neighbouring locks of one process come merged into one line, so ranges are tested by overlap.
WriteLock database_lock(const FileLock& lock) {
  if (!lock.write) return WriteLock::kNone;
  if (covers(lock, kSharedFirst, kSharedLast)) return WriteLock::kExclusive;
  if (covers(lock, kPendingByte, kPendingByte)) return WriteLock::kPending;
  if (covers(lock, kReservedByte, kReservedByte)) return WriteLock::kReserved;
  return WriteLock::kNone;
}

WriteLock shm_lock(const FileLock& lock) {
  return lock.write && covers(lock, kShmWriteByte, kShmWriteByte) ? WriteLock::kWrite
                                                                  : WriteLock::kNone;
}

}  // namespace

void parse_locks(std::string_view text, std::vector<FileLock>& locks) {
  locks.clear();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    FileLock lock;
    if (parse_line(line, lock)) locks.push_back(lock);
  }
}

bool FileIdentity::matches(const FileLock& lock) const {
  if (lock.inode != inode) return false;
  return any_device || (lock.device_major == major(device) && lock.device_minor == minor(device));
}

std::optional<FileIdentity> identify(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return std::nullopt;
  FileIdentity identity{file.st_dev, file.st_ino, false};
  struct statfs system {};
  if (::fstatfs(fd, &system) == 0) {
    const auto magic = static_cast<uint32_t>(system.f_type);
    identity.any_device = magic == kOverlayMagic || magic == kBtrfsMagic;
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

void view_locks(const std::vector<FileLock>& locks, const FileIdentity& database,
                const FileIdentity* shm, LockView& view) {
  view.held = WriteLock::kNone;
  view.holder = 0;
  view.blocked = 0;
  view.present.clear();
  for (const FileLock& lock : locks) {
    const bool on_database = database.matches(lock);
    const bool on_shm = !on_database && shm != nullptr && shm->matches(lock);
    if (!on_database && !on_shm) continue;
    view.present.push_back(lock.pid);
    const WriteLock kind = on_database ? database_lock(lock) : shm_lock(lock);
    if (kind == WriteLock::kNone) continue;
    if (lock.blocked) {
      ++view.blocked;
    } else if (kind > view.held) {
      view.held = kind;
      view.holder = lock.pid;
    }
  }
  std::sort(view.present.begin(), view.present.end());
  view.present.erase(std::unique(view.present.begin(), view.present.end()), view.present.end());
}

}  // namespace plumb::sqlite_stats
