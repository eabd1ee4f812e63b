#include "lock_probe.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "file_format.h"

namespace plumb::sqlite_stats {
namespace {

// Asks for the first lock that a lock of `type` on bytes [first, last] would run into.
class Question {
 public:
  explicit Question(int fd) : fd_(fd) {}

  std::optional<FileLock> ask(short type, int64_t first, int64_t last) {
    struct flock wanted {};
    wanted.l_type = type;
    wanted.l_whence = SEEK_SET;
    wanted.l_start = first;
    wanted.l_len = last - first + 1;
    if (::fcntl(fd_, F_GETLK, &wanted) != 0) {
      error_ = errno;
      return std::nullopt;
    }
    if (wanted.l_type == F_UNLCK) return std::nullopt;
    FileLock found;
    // Of another PID namespace: 0; an open file description's lock, or another machine's: negative.
    found.pid = std::max<int32_t>(0, wanted.l_pid);
    found.start = wanted.l_start;
    found.end =
        wanted.l_len == 0 ? std::numeric_limits<int64_t>::max() : wanted.l_start + wanted.l_len - 1;
    found.write = wanted.l_type == F_WRLCK;
    return found;
  }
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;
};

}  // namespace

Result<LockState> ask_locks(int database_fd, int shm_fd) {
  LockState state;
  Question shm(shm_fd);
  if (shm_fd >= 0) {
    // One question when all three are free, as they mostly are.
    if (const auto any = shm.ask(F_WRLCK, kShmWriteByte, kShmRecoverByte)) {
      // What comes before it and after it may be another process's.
      state.add_shm_lock(*any);
      for (int64_t byte = kShmWriteByte; byte < any->start; ++byte) {
        if (const auto lock = shm.ask(F_WRLCK, byte, byte)) state.add_shm_lock(*lock);
      }
      for (int64_t byte = any->end + 1; byte <= kShmRecoverByte;) {
        const auto lock = shm.ask(F_WRLCK, byte, kShmRecoverByte);
        if (!lock) break;
        state.add_shm_lock(*lock);
        byte = std::max(byte, lock->end) + 1;
      }
    }
  }
  // A shared lock runs into exclusive ones only: readers are not in the answer.
  Question database(database_fd);
  if (const auto lock = database.ask(F_RDLCK, kPendingByte, kSharedLast)) {
    state.add_database_lock(*lock);
    // Whoever rolls a hot journal back holds PENDING and SHARED without the byte between.
    if (!lock->covers(kSharedFirst, kSharedLast)) {
      if (const auto all = database.ask(F_RDLCK, kSharedFirst, kSharedLast))
        state.add_database_lock(*all);
    }
  }
  if (const int error = std::max(shm.error(), database.error()); error != 0)
    return Status::unavailable(std::string("the file system does not say who holds locks: ") +
                               std::strerror(error));
  return state;
}

void ask_readers(int shm_fd, std::vector<ReaderLock>& readers) {
  readers.clear();
  if (shm_fd < 0) return;
  Question shm(shm_fd);
  constexpr int64_t kLastReadByte = kShmFirstReadByte + kReadMarks - 1;
  if (!shm.ask(F_WRLCK, kShmFirstReadByte, kLastReadByte)) return;
  for (int64_t byte = kShmFirstReadByte; byte <= kLastReadByte; ++byte) {
    // An exclusive lock is a checkpointer's, or of who moves the mark.
    const auto lock = shm.ask(F_WRLCK, byte, byte);
    if (lock && !lock->write)
      readers.push_back({lock->pid, static_cast<int>(byte - kShmFirstReadByte)});
  }
}

bool is_in_use(int shm_fd) {
  return Question(shm_fd).ask(F_WRLCK, kShmOpenByte, kShmOpenByte).has_value();
}

}  // namespace plumb::sqlite_stats
