#include "proc_walk.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "descriptor.h"

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

std::vector<int32_t> numbered_entries(const std::string& directory_name) {
  std::vector<int32_t> numbers;
  const Directory directory(::opendir(directory_name.c_str()));
  if (!directory) return numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    const char* end = entry->d_name + std::strlen(entry->d_name);
    int32_t number = 0;
    const auto parsed = std::from_chars(entry->d_name, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<int32_t> find_openers(const std::string& proc_root, dev_t device, uint64_t inode) {
  std::vector<int32_t> openers;
  for (const int32_t pid : numbered_entries(proc_root)) {
    if (pid == ::getpid()) continue;
    if (has_open(proc_root + "/" + std::to_string(pid) + "/fd", device, inode))
      openers.push_back(pid);
  }
  return openers;
}

std::string command_of(const std::string& proc_root, int32_t pid) {
  const Descriptor file = Descriptor::open(proc_root + "/" + std::to_string(pid) + "/comm");
  std::string name;
  if (!file.valid() || !file.read_all(name, 64)) return "?";
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? "?" : name;
}

bool maps_glibc(const std::string& proc_root, int32_t pid) {
  constexpr size_t kMostMaps = 4u << 20;
  const Descriptor file = Descriptor::open(proc_root + "/" + std::to_string(pid) + "/maps");
  std::string maps;
  if (!file.valid() || !file.read_all(maps, kMostMaps)) return false;
  return maps.find("/libc.so.6") != std::string::npos || maps.find("/libc-2.") != std::string::npos;
}

}  // namespace plumb::sqlite_stats
