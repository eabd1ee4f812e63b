#include "file_check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "plugins/sqlite_stats/file_format.h"
#include "plugins/sqlite_stats/locks.h"

namespace plumb::sqlite_inspect {
namespace {

using sqlite_stats::Descriptor;
using sqlite_stats::kDatabaseHeaderBytes;

// True when another process holds a lock on the database file that a lock of `type` runs into.
bool is_locked(const Descriptor& file, short type) {
  struct flock wanted {};
  wanted.l_type = type;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = sqlite_stats::kPendingByte;
  wanted.l_len = sqlite_stats::kSharedLast - sqlite_stats::kPendingByte + 1;
  return ::fcntl(file.get(), F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
}

std::optional<uint64_t> size_of(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

}  // namespace

Result<FileCheck> FileCheck::open(const std::string& path) {
  Descriptor file = Descriptor::open(path);
  if (!file.valid())
    return Status::unavailable("cannot read " + path + ": " + std::strerror(errno));
  FileCheck check(path, std::move(file));
  PLUMB_RETURN_IF_ERROR(check.look());
  return check;
}

Status FileCheck::look() {
  struct stat file {};
  if (::fstat(file_.get(), &file) != 0 || !S_ISREG(file.st_mode))
    return Status::invalid_argument(path_ + " is no file");
  bytes_ = static_cast<uint64_t>(file.st_size);
  changed_s_ = file.st_mtim.tv_sec;
  changed_ns_ = file.st_mtim.tv_nsec;
  if (bytes_ == 0) return Status::unavailable("the file is empty");
  std::array<uint8_t, kDatabaseHeaderBytes> bytes{};
  const ssize_t n = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
  const auto header = sqlite_stats::parse_database_header(
      {bytes.data(), n > 0 ? static_cast<size_t>(n) : size_t{0}});
  if (!header)
    return Status::unsupported("the file is no SQLite database, or is encrypted or damaged");
  if (!header->wal) {
    access_ = Access::kJournal;
    if (writer_waits()) return Status::unavailable("its application is writing to it");
    return Status::ok();
  }
  const auto wal_bytes = size_of(path_ + "-wal");
  if (wal_bytes && size_of(path_ + "-shm")) {
    access_ = Access::kSharedMemory;
    return Status::ok();
  }
  if (is_locked(file_, F_WRLCK))
    return Status::unavailable(
        "its application has it open in a mode that lets nobody else read (a WAL without -shm "
        "file, as with locking_mode=EXCLUSIVE)");
  if (wal_bytes.value_or(0) > 0)
    return Status::unavailable(
        "it has a WAL and no -shm file: only a recovery by its application makes that readable");
  if (size_of(path_ + "-shm") && !size_of(path_ + "-wal"))
    return Status::unavailable(
        "it has a -shm file and no WAL, as when somebody deleted that: only its application can "
        "tell what is in it");
  access_ = Access::kClosed;
  return Status::ok();
}

bool FileCheck::writer_waits() const { return is_locked(file_, F_RDLCK); }

bool FileCheck::still_closed() const {
  struct stat file {};
  if (::fstat(file_.get(), &file) != 0) return false;
  const bool unchanged = static_cast<uint64_t>(file.st_size) == bytes_ &&
                         file.st_mtim.tv_sec == changed_s_ && file.st_mtim.tv_nsec == changed_ns_;
  return unchanged && !size_of(path_ + "-shm") && !is_locked(file_, F_WRLCK);
}

}  // namespace plumb::sqlite_inspect
