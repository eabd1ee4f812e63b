#include <dirent.h>

#include <algorithm>
#include <memory>

#include "plugins/proc/fields.h"
#include "plugins/proc/processes.h"
#include "plugins/proc/sockets.h"

namespace plumb::proc {

namespace {

constexpr size_t kCommBytes = 15;      // the kernel cuts a command's name to this
constexpr int kSearchAgainAfter = 10;  // calls between two searches by port while the roots live
constexpr int kMostDepth = 8;

// The sockets that listen on the port, ascending by inode; NOT_FOUND when there is none.
Result<std::vector<uint64_t>> listening_sockets(const Root& root, int port) {
  PLUMB_ASSIGN_OR_RETURN(const std::vector<Listener> listeners, list_listeners(root));
  std::vector<uint64_t> inodes;
  for (const Listener& l : listeners) {
    if (l.port == port) inodes.push_back(l.inode);
  }
  std::sort(inodes.begin(), inodes.end());
  if (inodes.empty()) {
    return Status::not_found("nothing listens on port " + std::to_string(port) +
                             " in this network namespace");
  }
  return inodes;
}

Result<std::vector<Pid>> owners_of(const Root& root, int port, std::span<const uint64_t> inodes,
                                   const ProcessList& list) {
  std::vector<Pid> owners;
  bool denied = false;
  for (const auto& [pid, stat] : list.all()) {
    const auto descriptors = list_descriptors(root, pid);
    if (!descriptors) {
      denied = denied || descriptors.status().code() == PLUMB_PERMISSION_DENIED;
      continue;
    }
    const auto& held = descriptors.value().sockets;
    const bool owns = std::any_of(inodes.begin(), inodes.end(), [&](uint64_t inode) {
      return std::binary_search(held.begin(), held.end(), inode);
    });
    if (owns) owners.push_back(pid);
  }
  // An init that holds the socket on behalf of a service (socket activation) is not the service.
  if (owners.size() > 1) std::erase(owners, 1);
  if (!owners.empty()) return owners;
  const std::string what = "port " + std::to_string(port) + " has a listener, but ";
  if (denied) {
    return Status::permission_denied(what + "its process belongs to another user: run plumb as " +
                                     "that user or with CAP_SYS_PTRACE, or name the process by " +
                                     "pid or name under target.process");
  }
  return Status::not_found(what + "no process here holds it: is it in another container?");
}

std::vector<Pid> named(const Root& root, const std::string& name, const ProcessList& list,
                       Buffer& buffer) {
  std::vector<Pid> out;
  for (const auto& [pid, stat] : list.all()) {
    if (stat.comm == name) out.push_back(pid);
  }
  if (!out.empty()) return out;
  // The command line is read only when no short name matches: it costs a read per process.
  for (const auto& [pid, stat] : list.all()) {
    const Text text = buffer.read(root.of(pid, "cmdline").c_str());
    if (!text.ok()) continue;
    std::string_view first = text.text.substr(0, text.text.find('\0'));
    first = first.substr(first.rfind('/') + 1);
    const bool cut = name.size() > kCommBytes && stat.comm == name.substr(0, kCommBytes);
    if (first == name || (cut && first.empty())) out.push_back(pid);
  }
  return out;
}

void add_members(const std::string& path, int depth, Buffer& buffer, std::vector<Pid>& out) {
  const Text text = buffer.read((path + "/cgroup.procs").c_str());
  if (!text.ok()) return;
  std::string_view rest = text.text;
  while (const auto pid = next_number<Pid>(rest)) {
    if (*pid > 0) out.push_back(*pid);
  }
  if (depth >= kMostDepth) return;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return;
  std::vector<std::string> inner;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') inner.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  for (const std::string& name : inner) add_members(path + "/" + name, depth + 1, buffer, out);
}

std::vector<Pid> members(const Root& root, std::string cgroup, Buffer& buffer) {
  const std::string mount = root.sys + "/fs/cgroup";
  if (cgroup.starts_with(mount)) cgroup.erase(0, mount.size());
  while (cgroup.starts_with('/')) cgroup.erase(0, 1);
  std::vector<Pid> out;
  // Version 2 first, then where version 1 and hybrid set-ups keep theirs.
  for (const char* hierarchy :
       {"", "/unified", "/systemd", "/pids", "/cpu,cpuacct", "/cpu", "/memory"}) {
    add_members(mount + hierarchy + "/" + cgroup, 0, buffer, out);
    if (!out.empty()) break;
  }
  return out;
}

}  // namespace

Result<std::vector<Pid>> TargetFinder::find_roots(const ProcessList& list) {
  if (selector_.port) {
    const bool alive = !roots_.empty() && std::all_of(roots_.begin(), roots_.end(), [&](Known k) {
      const Stat* stat = list.find(k.pid);
      return stat != nullptr && stat->start_ticks == k.start_ticks;
    });
    std::vector<Pid> out;
    if (alive && ++calls_since_search_ < kSearchAgainAfter) {
      for (const Known& k : roots_) out.push_back(k.pid);
      return out;
    }
    calls_since_search_ = 0;
    // Looking through everybody's descriptors is dear: only when other sockets listen than did.
    PLUMB_ASSIGN_OR_RETURN(std::vector<uint64_t> sockets,
                           listening_sockets(root_, *selector_.port));
    if (alive && sockets == sockets_) {
      for (const Known& k : roots_) out.push_back(k.pid);
      return out;
    }
    roots_.clear();
    PLUMB_ASSIGN_OR_RETURN(out, owners_of(root_, *selector_.port, sockets, list));
    for (const Pid pid : out) roots_.push_back({pid, list.find(pid)->start_ticks});
    sockets_ = std::move(sockets);
    return out;
  }
  if (selector_.pid) return std::vector<Pid>{*selector_.pid};
  if (!selector_.name.empty()) return named(root_, selector_.name, list, buffer_);
  if (!selector_.cgroup.empty()) return members(root_, selector_.cgroup, buffer_);
  return Status::not_found("no target process was given: set target.process in the plan");
}

Result<std::vector<Pid>> TargetFinder::find(const ProcessList& list) {
  PLUMB_ASSIGN_OR_RETURN(const std::vector<Pid> roots, find_roots(list));
  std::vector<Pid> out = list.with_descendants(roots);
  if (out.empty()) return Status::not_found(selector_.describe() + " does not run now");
  return out;
}

Result<std::vector<Pid>> find_target(const Root& root, const Selector& selector) {
  ProcessList list(root);
  PLUMB_RETURN_IF_ERROR(list.refresh(true));
  return TargetFinder(root, selector).find(list);
}

}  // namespace plumb::proc
