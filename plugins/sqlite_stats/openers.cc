#include "openers.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "plugins/proc/processes.h"

namespace plumb::sqlite_stats {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

bool has_open(const std::string& descriptors, dev_t device, uint64_t inode) {
  const Directory directory(::opendir(descriptors.c_str()));
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    struct stat file {};
    // Follows the link to the open file itself, so that containers' paths do not matter.
    if (::fstatat(::dirfd(directory.get()), entry->d_name, &file, 0) != 0) continue;
    if (file.st_ino == inode && file.st_dev == device) return true;
  }
  return false;
}

}  // namespace

std::vector<proc::Pid> find_openers(const proc::Root& root, dev_t device, uint64_t inode) {
  std::vector<proc::Pid> openers;
  for (const proc::Pid pid : proc::list_pids(root)) {
    if (pid == ::getpid()) continue;
    if (has_open(root.of(pid, "fd"), device, inode)) openers.push_back(pid);
  }
  return openers;
}

std::string command_of(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer) {
  if (pid == 0) return "outside";
  const proc::Text name = buffer.read(root.of(pid, "comm").c_str());
  std::string_view text = name.text;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text.empty() ? "?" : std::string(text);
}

bool maps_glibc(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer) {
  const proc::Text maps = buffer.read(root.of(pid, "maps").c_str());
  return maps.text.find("/libc.so.6") != std::string_view::npos ||
         maps.text.find("/libc-2.") != std::string_view::npos;
}

}  // namespace plumb::sqlite_stats
