// A file descriptor that closes itself, for the database's own files. (Files of /proc are read
// through plugins/proc.)
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DESCRIPTOR_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DESCRIPTOR_H_

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace plumb::sqlite_stats {

// Movable, owns at most one descriptor; -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // Read-only, and without waiting where the path turns out to be a pipe; invalid with errno set
  // when the file cannot be opened.
  static Descriptor open(const std::string& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DESCRIPTOR_H_
