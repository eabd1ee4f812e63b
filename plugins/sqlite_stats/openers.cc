#include "openers.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "plugins/proc/processes.h"

namespace plumb::sqlite_stats {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

constexpr int64_t kWalkEvery = 1'000'000'000;
constexpr int64_t kFullWalkEvery = 10 * kWalkEvery;
constexpr int64_t kForgetAfter = 10 * kWalkEvery;
constexpr int64_t kYoungFor = 10 * kWalkEvery;
constexpr int64_t kWalkCostFactor = 1000;

}  // namespace

void OpenerWalk::want(int64_t now_ns, dev_t device, uint64_t inode) {
  const auto [file, is_new] = files_.try_emplace({device, inode});
  file->second.wanted_ns = now_ns;
  // A file that nobody wanted before needs a look at every process.
  if (is_new) next_full_walk_ns_ = std::min(next_full_walk_ns_, next_walk_ns_);
}

const std::vector<proc::Pid>& OpenerWalk::find(int64_t now_ns, dev_t device, uint64_t inode) {
  want(now_ns, device, inode);
  if (now_ns >= next_walk_ns_) walk(now_ns, now_ns >= next_full_walk_ns_);
  return files_[{device, inode}].openers;
}

void OpenerWalk::walk(int64_t now_ns, bool all) {
  const int64_t begun = now_();
  std::erase_if(
      files_, [now_ns](const auto& file) { return now_ns - file.second.wanted_ns > kForgetAfter; });
  const std::vector<proc::Pid> pids = proc::list_pids(root_);
  const auto is_gone = [&pids](proc::Pid pid) {
    return !std::binary_search(pids.begin(), pids.end(), pid);
  };
  std::erase_if(first_seen_ns_, [&](const auto& seen) { return is_gone(seen.first); });
  // Those that were there before the first walk are not young.
  const int64_t came_ns = first_seen_ns_.empty() ? now_ns - kYoungFor : now_ns;
  const auto is_young = [&](proc::Pid pid) {
    return now_ns - first_seen_ns_.try_emplace(pid, came_ns).first->second < kYoungFor;
  };
  if (all) denied_ = false;
  for (const proc::Pid pid : pids) {
    if (!is_young(pid) && !all) continue;
    for (auto& [key, file] : files_) std::erase(file.openers, pid);
    if (pid != ::getpid()) look_at(pid);
  }
  for (auto& [key, file] : files_) {
    std::erase_if(file.openers, is_gone);
    std::sort(file.openers.begin(), file.openers.end());
  }
  const int64_t pause = (now_() - begun) * kWalkCostFactor;
  next_walk_ns_ = now_ns + std::max(kWalkEvery, pause);
  if (all) next_full_walk_ns_ = now_ns + std::max(kFullWalkEvery, pause);
}

void OpenerWalk::look_at(proc::Pid pid) {
  const Directory directory(::opendir(root_.of(pid, "fd").c_str()));
  if (!directory) {
    denied_ |= errno == EACCES || errno == EPERM;
    return;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    struct stat opened {};
    // Follows the link to the open file itself, so that containers' paths do not matter.
    if (::fstatat(::dirfd(directory.get()), entry->d_name, &opened, 0) != 0) continue;
    const auto file = files_.find({opened.st_dev, opened.st_ino});
    if (file == files_.end()) continue;
    std::vector<proc::Pid>& openers = file->second.openers;
    if (openers.empty() || openers.back() != pid) openers.push_back(pid);
  }
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
