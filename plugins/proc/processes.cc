#include "plugins/proc/processes.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <unordered_set>

#include "plugins/proc/fields.h"

namespace plumb::proc {

namespace {

struct CloseDirectory {
  void operator()(DIR* d) const { ::closedir(d); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// False, and nothing, when the directory cannot be read whole.
bool numeric_entries(const std::string& path, std::vector<Pid>& out) {
  const Directory directory(::opendir(path.c_str()));
  if (!directory) return false;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (const auto number = to_number<Pid>(entry->d_name); number && *number > 0) {
      out.push_back(*number);
    }
  }
  if (errno != 0) {
    out.clear();
    return false;
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
  pids_.clear();
  if (!numeric_entries(root_.proc, pids_)) {
    return Status::unavailable("the processes under " + root_.proc +
                               " cannot be listed: is proc mounted there?");
  }
  const size_t ended = std::erase_if(stats_, [&](const auto& entry) {
    return !std::binary_search(pids_.begin(), pids_.end(), entry.first);
  });
  if (ended > 0) ++generation_;
  std::vector<Pid> young;
  for (const Pid pid : pids_) {
    const bool known = stats_.contains(pid);
    if (!known) young.push_back(pid);
    const bool was_young = std::binary_search(young_.begin(), young_.end(), pid);
    if (known && !full && !was_young) continue;
    if (const auto stat = read_stat(root_, pid, buffer_)) {
      take(*stat);
    } else if (known) {
      stats_.erase(pid);
      ++generation_;
    }
  }
  young_ = std::move(young);
  return Status::ok();
}

void ProcessList::note(const Stat& stat) {
  if (stats_.contains(stat.pid)) take(stat);
}

void ProcessList::take(const Stat& stat) {
  Stat& kept = stats_[stat.pid];
  if (kept.start_ticks != stat.start_ticks || kept.ppid != stat.ppid || kept.comm != stat.comm) {
    ++generation_;
  }
  kept = stat;
}

const Stat* ProcessList::find(Pid pid) const {
  const auto it = stats_.find(pid);
  return it == stats_.end() ? nullptr : &it->second;
}

const std::unordered_map<Pid, std::vector<Pid>>& ProcessList::children() const {
  if (children_generation_ != generation_) {
    children_.clear();
    for (const auto& [pid, stat] : stats_) children_[stat.ppid].push_back(pid);
    children_generation_ = generation_;
  }
  return children_;
}

std::vector<Pid> ProcessList::with_descendants(std::span<const Pid> roots) const {
  std::unordered_set<Pid> seen;
  std::vector<Pid> out;
  const auto visit = [&](Pid pid) {
    if (stats_.contains(pid) && seen.insert(pid).second) out.push_back(pid);
  };
  for (const Pid pid : roots) visit(pid);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto it = children().find(out[i]);
    if (it == children().end()) continue;
    for (const Pid child : it->second) visit(child);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace plumb::proc
