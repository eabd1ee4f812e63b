#include "core/base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/unique_fd.h"

namespace plumb {
namespace {

Status failure(const std::string& what, const std::filesystem::path& path, int error) {
  const std::string message = "cannot " + what + " " + path.string() + ": " + std::strerror(error);
  if (error == EACCES || error == EPERM || error == EROFS) {
    return Status::permission_denied(message);
  }
  return error == ENOENT ? Status::not_found(message) : Status::unavailable(message);
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

Status write_into(const std::filesystem::path& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const int error = fd ? write_all(fd.get(), text) : errno;
  return error == 0 ? Status::ok() : failure("write to", path, error);
}

Status replace_file(const std::filesystem::path& path, std::string_view text) {
  static std::atomic<uint32_t> number{0};
  const std::string temporary =
      path.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".tmp";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd) return failure("create a file beside", path, errno);
  int error = write_all(fd.get(), text);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return Status::ok();
  ::unlink(temporary.c_str());
  return failure("write", path, error);
}

}  // namespace

Status write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  std::error_code ignored;
  const auto found = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(found)) return replace_file(path, text);
  if (!std::filesystem::is_regular_file(found)) return write_into(path, text);
  const auto real = std::filesystem::canonical(path, ignored);
  return replace_file(real.empty() ? path : real, text);
}

}  // namespace plumb
