#include "plugins/proc/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"

namespace plumb::proc {

namespace {

Status no_descriptors(Pid pid, int error) {
  const std::string process = "process " + std::to_string(pid);
  if (error == ENOENT || error == ESRCH) return Status::not_found(process + " has ended");
  if (error == EACCES || error == EPERM) {
    return Status::permission_denied(
        "the descriptors of " + process +
        " belong to another user: run plumb as that user or with CAP_SYS_PTRACE");
  }
  return Status::unavailable("the descriptors of " + process + " cannot be read (" +
                             std::strerror(error) + ")");
}

// Calls `each` with the open directory and the name of every descriptor, until that is an errno.
// The errno of what went wrong, or 0.
template <typename Each>
int walk_descriptors(const Root& root, Pid pid, Each&& each) {
  DIR* directory = ::opendir(root.of(pid, "fd").c_str());
  if (directory == nullptr) return errno;
  int error = 0;
  while (error == 0) {
    errno = 0;
    const dirent* entry = ::readdir(directory);
    if (entry == nullptr) {
      error = errno;
      break;
    }
    if (entry->d_name[0] != '.') error = each(::dirfd(directory), entry->d_name);
  }
  ::closedir(directory);
  return error;
}

std::optional<uint64_t> socket_of(std::string_view link) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!link.starts_with(kPrefix) || !link.ends_with(']')) return std::nullopt;
  return to_number(link.substr(kPrefix.size(), link.size() - kPrefix.size() - 1));
}

}  // namespace

Result<size_t> count_descriptors(const Root& root, Pid pid) {
  const std::string path = root.of(pid, "fd");
  struct stat entry {};
  // The size of other file systems' directories means something else.
  if (root.proc == "/proc" && ::stat(path.c_str(), &entry) == 0 && entry.st_size > 0) {
    return static_cast<size_t>(entry.st_size);
  }
  size_t count = 0;
  const int error = walk_descriptors(root, pid, [&](int, const char*) {
    ++count;
    return 0;
  });
  if (error != 0) return no_descriptors(pid, error);
  return count;
}

std::optional<uint64_t> descriptor_limit(const Root& root, Pid pid) {
  Buffer buffer(2048);
  const Text limits = buffer.read(root.of(pid, "limits").c_str());
  return limits.ok() ? number_after(limits.text, "Max open files") : std::nullopt;
}

Result<std::vector<uint64_t>> list_sockets(const Root& root, Pid pid) {
  std::vector<uint64_t> out;
  Buffer buffer(256);
  const int error = walk_descriptors(root, pid, [&](int directory, const char* name) {
    const Text link = buffer.read_link(directory, name);
    if (link.denied()) return link.error;  // of a user who may list them, but no more
    if (!link.ok()) return 0;              // closed meanwhile
    if (const auto inode = socket_of(link.text)) out.push_back(*inode);
    return 0;
  });
  if (error != 0) return no_descriptors(pid, error);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace plumb::proc
