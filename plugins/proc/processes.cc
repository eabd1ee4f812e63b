#include "plugins/proc/processes.h"

#include <dirent.h>

#include <algorithm>
#include <memory>
#include <unordered_set>

#include "plugins/proc/fields.h"

namespace plumb::proc {

namespace {

struct CloseDirectory {
  void operator()(DIR* d) const { ::closedir(d); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// False when the directory cannot be opened.
bool numeric_entries(const std::string& path, std::vector<Pid>& out) {
  const Directory directory(::opendir(path.c_str()));
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto number = to_number<Pid>(entry->d_name); number && *number > 0) {
      out.push_back(*number);
    }
  }
  std::sort(out.begin(), out.end());
  return true;
}

}  // namespace

std::vector<Pid> list_pids(const Root& root) {
  std::vector<Pid> out;
  numeric_entries(root.proc, out);
  return out;
}

std::vector<Pid> list_tasks(const Root& root, Pid pid) {
  std::vector<Pid> out;
  numeric_entries(root.of(pid, "task"), out);
  return out;
}

std::optional<Stat> read_stat(const Root& root, Pid pid, Buffer& buffer) {
  const Text text = buffer.read(root.of(pid, "stat").c_str());
  if (!text.ok()) return std::nullopt;
  auto stat = parse_stat(text.text);
  if (!stat || stat->pid != pid) return std::nullopt;
  return stat;
}

std::optional<SchedStat> read_task_schedstat(const Root& root, Pid pid, Pid tid, Buffer& buffer) {
  const Text text = buffer.read(root.of_task(pid, tid, "schedstat").c_str());
  return text.ok() ? parse_schedstat(text.text) : std::nullopt;
}

std::string read_cmdline(const Root& root, Pid pid, Buffer& buffer, size_t limit) {
  const Text text = buffer.read(root.of(pid, "cmdline").c_str());
  if (!text.ok()) return {};
  std::string_view raw = text.text;
  while (!raw.empty() && raw.back() == '\0') raw.remove_suffix(1);
  std::string out(raw.substr(0, limit));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) {
      c = ' ';
    } else if (byte < 0x20 || byte >= 0x7f) {
      c = '?';
    }
  }
  return out;
}

Status ProcessList::refresh(bool full) {
  std::vector<Pid> pids;
  if (!numeric_entries(root_.proc, pids)) {
    return Status::unavailable("the processes under " + root_.proc +
                               " cannot be listed: is proc mounted there?");
  }
  for (auto it = stats_.begin(); it != stats_.end();) {
    const bool lives = std::binary_search(pids.begin(), pids.end(), it->first);
    it = lives ? std::next(it) : stats_.erase(it);
  }
  std::vector<Pid> young;
  for (const Pid pid : pids) {
    const auto known = stats_.find(pid);
    if (known == stats_.end()) young.push_back(pid);
    const bool was_young = std::binary_search(young_.begin(), young_.end(), pid);
    if (known != stats_.end() && !full && !was_young) continue;
    if (auto stat = read_stat(root_, pid, buffer_)) {
      stats_.insert_or_assign(pid, std::move(*stat));
    } else if (known != stats_.end()) {
      stats_.erase(known);
    }
  }
  young_ = std::move(young);
  return Status::ok();
}

const Stat* ProcessList::find(Pid pid) const {
  const auto it = stats_.find(pid);
  return it == stats_.end() ? nullptr : &it->second;
}

std::vector<Pid> ProcessList::with_descendants(std::span<const Pid> roots) const {
  std::unordered_map<Pid, std::vector<Pid>> children;
  for (const auto& [pid, stat] : stats_) children[stat.ppid].push_back(pid);
  std::unordered_set<Pid> seen;
  std::vector<Pid> out;
  const auto visit = [&](Pid pid) {
    if (stats_.contains(pid) && seen.insert(pid).second) out.push_back(pid);
  };
  for (const Pid pid : roots) visit(pid);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto it = children.find(out[i]);
    if (it == children.end()) continue;
    for (const Pid child : it->second) visit(child);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace plumb::proc
