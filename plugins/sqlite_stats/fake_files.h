// Test only: a temporary directory, and files with the bytes that SQLite and the kernel would
// write.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_FAKE_FILES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_FAKE_FILES_H_

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "file_format.h"

namespace plumb::sqlite_stats {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb-sqlite-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// Keeps the inode of a file that exists.
inline void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::string database_bytes(bool wal, uint32_t changes, uint32_t page_bytes = 4096) {
  std::string bytes(kDatabaseHeaderBytes, '\0');
  std::memcpy(bytes.data(), "SQLite format 3", 16);
  const uint32_t stored = page_bytes == 65536 ? 1 : page_bytes;
  bytes[16] = static_cast<char>(stored >> 8);
  bytes[17] = static_cast<char>(stored);
  bytes[18] = bytes[19] = wal ? 2 : 1;
  for (int i = 0; i < 4; ++i) bytes[24 + i] = static_cast<char>(changes >> (24 - 8 * i));
  return bytes;
}

struct FakeIndex {
  uint32_t changes = 0;
  uint32_t frames = 0;
  uint32_t backfilled = 0;
  uint32_t generation = 7;
  uint32_t pages = 60;
  std::array<uint32_t, kReadMarks> read_marks = {0, kUnusedMark, kUnusedMark, kUnusedMark,
                                                 kUnusedMark};
};

inline std::string shm_bytes(const FakeIndex& index) {
  std::string bytes(32768, '\0');
  const uint32_t version = 3007000;
  const uint16_t page = 4096;
  const auto put = [&bytes](size_t offset, const auto& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
  };
  put(0, version);
  put(8, index.changes);
  bytes[12] = 1;
  put(14, page);
  put(16, index.frames);
  put(20, index.pages);
  for (size_t i = 0; i < 4; ++i)
    bytes[32 + i] = static_cast<char>(index.generation >> (24 - 8 * i));
  std::memcpy(bytes.data() + 48, bytes.data(), 48);
  put(96, index.backfilled);
  put(100, index.read_marks);
  return bytes;
}

inline std::string shm_bytes(uint32_t changes, uint32_t frames, uint32_t backfilled) {
  return shm_bytes({.changes = changes, .frames = frames, .backfilled = backfilled});
}

// "POSIX  ADVISORY  WRITE 42 fe:00:1234 120 120" for an existing file.
inline std::string lock_line(const std::string& file, const char* mode, int pid, int64_t start,
                             int64_t end, const char* arrow = "") {
  struct stat s {};
  if (::stat(file.c_str(), &s) != 0) std::abort();
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "1: %sPOSIX  ADVISORY  %s %d %02x:%02x:%llu %lld %lld\n",
                arrow, mode, pid, major(s.st_dev), minor(s.st_dev),
                static_cast<unsigned long long>(s.st_ino), static_cast<long long>(start),
                static_cast<long long>(end));
  return line.data();
}

// What a thread of a fake /proc does: the text of its `syscall` file.
constexpr char kUsleeping[] = "230 0x0 0x0 0x7f00 0x0 0x0 0x0 0x7ffc 0x7f11\n";
constexpr char kSleepingFor[] = "230 0x0 0x0 0x7f00 0x7f00 0x0 0x0 0x7ffc 0x7f11\n";
constexpr char kInFutex[] = "202 0x7fb8 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc 0x7fb8\n";
constexpr char kOnProcessor[] = "running\n";

inline void write_thread(const std::string& root, int pid, int tid, const std::string& syscall,
                         uint64_t timeslices) {
  const std::string directory =
      root + "/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/";
  write_file(directory + "syscall", syscall);
  write_file(directory + "schedstat", "100 200 " + std::to_string(timeslices) + "\n");
}

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_FAKE_FILES_H_
