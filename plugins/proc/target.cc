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
constexpr int kMostCallsToAll = 30;    // between two looks into those that were passed over
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

bool PassedOver::holds(const Stat& stat) const {
  const auto at = who_.find(stat.pid);
  return at != who_.end() && at->second.start_ticks == stat.start_ticks &&
         at->second.comm == stat.comm;
}

void PassedOver::add(const Stat& stat) { who_[stat.pid] = {stat.start_ticks, stat.comm}; }

void PassedOver::keep_only(const ProcessList& list) {
  std::erase_if(who_, [&](const auto& entry) { return list.find(entry.first) == nullptr; });
}

Result<std::vector<Pid>> TargetFinder::owners_of(const std::vector<uint64_t>& sockets,
                                                 const ProcessList& list) {
  // Looking through everybody's descriptors is dear: for sockets that nobody was found to hold only
  // those are looked into that came since, and the others, who may have been handed one, now and
  // then.
  const bool same = sockets == unowned_;
  if (!same || ++calls_since_all_ >= calls_to_all_) {
    calls_to_all_ = same ? std::min(2 * calls_to_all_, kMostCallsToAll) : 1;
    calls_since_all_ = 0;
    passed_over_.clear();
    unseen_ = Status::ok();
  }
  passed_over_.keep_only(list);
  std::vector<Pid> owners;
  for (const auto& [pid, stat] : list.all()) {
    if (passed_over_.holds(stat)) continue;
    const auto held = list_sockets(root_, pid);
    if (!held) {
      if (held.status().code() == PLUMB_NOT_FOUND) continue;
      unseen_ = held.status();
      passed_over_.add(stat);
      continue;
    }
    const bool owns = std::any_of(sockets.begin(), sockets.end(), [&](uint64_t inode) {
      return std::binary_search(held.value().begin(), held.value().end(), inode);
    });
    if (owns) {
      owners.push_back(pid);
    } else {
      passed_over_.add(stat);
    }
  }
  // An init that holds the socket on behalf of a service (socket activation) is not the service.
  if (owners.size() > 1) std::erase(owners, 1);
  if (!owners.empty()) {
    unowned_.clear();
    return owners;
  }
  unowned_ = sockets;
  const std::string what = "port " + std::to_string(*selector_.port) + " has a listener, but ";
  if (unseen_.code() == PLUMB_PERMISSION_DENIED) {
    return Status::permission_denied(what + "its process belongs to another user: run plumb as " +
                                     "that user or with CAP_SYS_PTRACE, or name the process by " +
                                     "pid or name under target.process");
  }
  if (!unseen_)
    return Status::unavailable(what + "whose it is cannot be told: " + unseen_.message());
  return Status::not_found(what + "no process here holds it: is it in another container?");
}

std::vector<Pid> TargetFinder::named(const ProcessList& list) {
  const std::string& name = selector_.name;
  std::vector<Pid> out;
  for (const auto& [pid, stat] : list.all()) {
    if (stat.comm == name) out.push_back(pid);
  }
  if (!out.empty()) return out;
  // The command line is read only when no short name matches, and once of each process: it costs a
  // read. One that only changed its arguments since is found when all are read again.
  if (++calls_since_all_ >= kMostCallsToAll) {
    calls_since_all_ = 0;
    passed_over_.clear();
  }
  passed_over_.keep_only(list);
  for (const auto& [pid, stat] : list.all()) {
    if (passed_over_.holds(stat)) continue;
    const Text text = buffer_.read(root_.of(pid, "cmdline").c_str());
    if (!text.ok()) continue;
    std::string_view first = text.text.substr(0, text.text.find('\0'));
    first = first.substr(first.rfind('/') + 1);
    const bool cut = name.size() > kCommBytes && stat.comm == name.substr(0, kCommBytes);
    if (first == name || (cut && first.empty())) {
      out.push_back(pid);
    } else {
      passed_over_.add(stat);
    }
  }
  return out;
}

Result<std::vector<Pid>> TargetFinder::listening(const ProcessList& list) {
  const bool alive = !roots_.empty() && std::all_of(roots_.begin(), roots_.end(), [&](Known k) {
    const Stat* stat = list.find(k.pid);
    return stat != nullptr && stat->start_ticks == k.start_ticks;
  });
  std::vector<Pid> out;
  for (const Known& k : roots_) out.push_back(k.pid);
  if (alive && ++calls_since_search_ < kSearchAgainAfter) return out;
  calls_since_search_ = 0;
  auto sockets = listening_sockets(root_, *selector_.port);
  // Who is known stays known while the kernel does not answer.
  if (!sockets && alive && sockets.status().code() != PLUMB_NOT_FOUND) return out;
  if (!sockets) return sockets.status();
  if (alive && sockets.value() == sockets_) return out;
  roots_.clear();
  PLUMB_ASSIGN_OR_RETURN(out, owners_of(sockets.value(), list));
  for (const Pid pid : out) roots_.push_back({pid, list.find(pid)->start_ticks});
  sockets_ = std::move(sockets.value());
  return out;
}

Result<std::vector<Pid>> TargetFinder::find_roots(const ProcessList& list) {
  if (selector_.port) return listening(list);
  if (selector_.pid) return std::vector<Pid>{*selector_.pid};
  if (!selector_.name.empty()) return named(list);
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
