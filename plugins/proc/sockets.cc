#include "plugins/proc/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"

namespace plumb::proc {

Result<size_t> count_descriptors(const Root& root, Pid pid) {
  const std::string path = root.of(pid, "fd");
  struct stat entry {};
  // The size of other file systems' directories means something else.
  if (root.proc == "/proc" && ::stat(path.c_str(), &entry) == 0 && entry.st_size > 0) {
    return static_cast<size_t>(entry.st_size);
  }
  PLUMB_ASSIGN_OR_RETURN(const Descriptors descriptors, list_descriptors(root, pid));
  return descriptors.count;
}

Result<Descriptors> list_descriptors(const Root& root, Pid pid) {
  const std::string path = root.of(pid, "fd");
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    if (errno == EACCES || errno == EPERM) {
      return Status::permission_denied(
          "the descriptors of process " + std::to_string(pid) +
          " belong to another user: run plumb as that user or with CAP_SYS_PTRACE");
    }
    return Status::not_found("process " + std::to_string(pid) + " has ended");
  }
  Descriptors out;
  Buffer buffer(256);
  const int descriptor = ::dirfd(directory);
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    ++out.count;
    const Text link = buffer.read_link(descriptor, entry->d_name);
    constexpr std::string_view kPrefix = "socket:[";
    if (!link.ok() || !link.text.starts_with(kPrefix) || !link.text.ends_with(']')) continue;
    const std::string_view digits =
        link.text.substr(kPrefix.size(), link.text.size() - kPrefix.size() - 1);
    if (const auto inode = to_number(digits)) out.sockets.push_back(*inode);
  }
  ::closedir(directory);
  std::sort(out.sockets.begin(), out.sockets.end());
  return out;
}

}  // namespace plumb::proc
