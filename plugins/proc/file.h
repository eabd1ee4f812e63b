// Reading the small files of /proc: descriptors kept open, one reused buffer, no allocation per
// read. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROC_FILE_H_
#define PLUMB_PLUGINS_PROC_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::proc {

// Text read into a caller's buffer, or the errno that says why there is none (ENOENT and ESRCH: it
// is gone; EACCES and EPERM: a privilege is missing; EFBIG: larger than the buffer may grow).
struct Text {
  std::string_view text;  // valid until the buffer is used again
  int error = 0;
  bool ok() const { return error == 0; }
  bool gone() const;
  bool denied() const;
};

// Grows as needed, to 4 MiB at most, and is then reused.
class Buffer {
 public:
  explicit Buffer(size_t initial = 8192) : bytes_(initial) {}
  // Reads `path` whole.
  Text read(const char* path);
  // Reads the open descriptor from offset 0 to its end.
  Text read(int descriptor);
  // Target of the symbolic link `name` in the open directory, without a trailing NUL.
  Text read_link(int directory, const char* name);

 private:
  std::vector<char> bytes_;
};

// How many descriptors the files that share it may keep open together. Outlives them.
class DescriptorAllowance {
 public:
  explicit DescriptorAllowance(size_t most) : most_(most) {}
  DescriptorAllowance(const DescriptorAllowance&) = delete;
  DescriptorAllowance& operator=(const DescriptorAllowance&) = delete;
  bool used_up() const { return in_use_ >= most_; }

 private:
  friend class KeptFile;
  size_t most_;
  size_t in_use_ = 0;
};

// A file opened at the first read and kept, as far as `allowance`, if there is one, goes: beyond it
// the file is closed after each read. After a failed read it is opened anew at the next one, so a
// file that appears late is found. Moves; closes itself.
class KeptFile {
 public:
  KeptFile() = default;
  explicit KeptFile(std::string path, DescriptorAllowance* allowance = nullptr)
      : path_(std::move(path)), allowance_(allowance) {}
  ~KeptFile() { close(); }
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&& other) noexcept;

  Text read(Buffer& buffer);
  void close();
  bool is_open() const { return descriptor_ >= 0; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  DescriptorAllowance* allowance_ = nullptr;  // an open descriptor is counted there
  int descriptor_ = -1;
};

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_FILE_H_
