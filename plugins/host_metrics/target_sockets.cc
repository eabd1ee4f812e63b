#include "plugins/host_metrics/target_sockets.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "plugins/proc/sockets.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

// Looks at sockets take at most this part of the time, reading descriptors likewise.
constexpr int64_t kLookShare = 700;
constexpr int64_t kDescriptorShare = 1000;

}  // namespace

void TargetSockets::forget() {
  next_scan_ns_ = next_look_ns_ = next_resolve_ns_ = next_count_ns_ = 0;
  listener_inodes_.clear();
}

void TargetSockets::tick(int64_t now_ns, std::span<const Pid> target, Problems& problems) {
  if (!visible_ || target.empty() || now_ns < next_look_ns_) return;
  if (!downstream_.any() && !downstream_.churns() && !queues_.any()) return;
  const int64_t begin = host_.now_ns();
  Status status;
  if (downstream_.churns()) {
    resolve(target, problems);
  } else if (downstream_.any()) {
    status = downstream_.look_again();
  }
  if (status) status = queues_.look();
  if (!status) problems.set("downstream", status.message());
  next_look_ns_ = now_ns + (host_.now_ns() - begin) * kLookShare;
}

void TargetSockets::second(int64_t now_ns, std::span<const Pid> target, Outlet& outlet,
                           Problems& problems) {
  for (const PeerReading& peer : downstream_.take()) {
    const auto add = [&](const char* name, double value) {
      outlet.add(name, now_ns, value, {{"peer", peer.peer}});
    };
    add("downstream_awaiting", peer.awaiting);
    add("downstream_awaiting_low", peer.low);
    add("downstream_awaiting_high", peer.high);
    add("downstream_sockets", peer.sockets);
  }
  for (const AcceptQueueReading& queue : queues_.take()) {
    const std::string port = std::to_string(queue.port);
    const auto add = [&](const char* name, double value) {
      outlet.add(name, now_ns, value, {{"port", port}});
    };
    add("target_accept_queue", queue.mean);
    add("target_accept_queue_max", queue.longest);
    add("target_accept_queue_limit", queue.limit);
  }
  if (target.empty()) {
    visible_ = false;
    inodes_.clear();
    listener_inodes_.clear();
    problems.set("descriptors", "");
    return;
  }
  visible_ = !other_network(target.front());
  if (visible_) {
    resolve_listeners(target, problems);
    if (now_ns >= next_resolve_ns_) resolve(target, problems);
  } else {
    problems.set("downstream",
                 "the target lives in another network namespace: run plumb inside it to see its "
                 "outbound connections");
  }
  emit_descriptors(now_ns, target, outlet, problems);
}

void TargetSockets::resolve_listeners(std::span<const Pid> target, Problems& problems) {
  listeners_.clear();
  if (const Status status = source_.listening(listeners_); !status) {
    problems.set("downstream", status.message());
    return;
  }
  std::vector<uint64_t> inodes;
  for (const proc::TcpSocket& s : listeners_) inodes.push_back(s.inode);
  std::sort(inodes.begin(), inodes.end());
  if (inodes != listener_inodes_ && scan_descriptors(target, problems)) {
    listener_inodes_ = std::move(inodes);
  }
  queues_.resolve(listeners_, inodes_);
}

void TargetSockets::resolve(std::span<const Pid> target, Problems& problems) {
  const int64_t begin = host_.now_ns();
  const Status status = downstream_.resolve(queues_.ports());
  problems.set("downstream", status.message());
  next_resolve_ns_ = begin + (host_.now_ns() - begin) * kLookShare;
  if (!status) return;
  if (downstream_.owners_unknown()) {
    const bool later = scan_descriptors(target, problems);
    downstream_.claim(inodes_, later);
  }
  downstream_.look();
}

bool TargetSockets::scan_descriptors(std::span<const Pid> target, Problems& problems) {
  const int64_t begin = host_.now_ns();
  if (begin < next_scan_ns_) return false;
  std::string denied;
  inodes_.clear();
  for (const Pid pid : target) {
    const auto held = proc::list_descriptors(root_, pid);
    if (!held) {
      if (held.status().code() == PLUMB_PERMISSION_DENIED) denied = held.status().message();
      continue;
    }
    inodes_.insert(inodes_.end(), held.value().sockets.begin(), held.value().sockets.end());
  }
  std::sort(inodes_.begin(), inodes_.end());
  inodes_.erase(std::unique(inodes_.begin(), inodes_.end()), inodes_.end());
  problems.set("descriptors", denied);
  next_scan_ns_ = begin + (host_.now_ns() - begin) * kDescriptorShare;
  return true;
}

void TargetSockets::emit_descriptors(int64_t now_ns, std::span<const Pid> target, Outlet& outlet,
                                     Problems& problems) {
  const int64_t begin = host_.now_ns();
  if (begin < next_count_ns_) return;
  size_t count = 0;
  for (const Pid pid : target) {
    const auto open = proc::count_descriptors(root_, pid);
    if (open) {
      count += open.value();
    } else if (open.status().code() == PLUMB_PERMISSION_DENIED) {
      problems.set("descriptors", open.status().message());
      return;
    }
  }
  outlet.add("target_descriptors", now_ns, static_cast<double>(count));
  next_count_ns_ = begin + (host_.now_ns() - begin) * kDescriptorShare;
}

bool TargetSockets::other_network(Pid target) const {
  const auto network = [](const std::string& path) {
    char link[64];
    const ssize_t n = ::readlink(path.c_str(), link, sizeof(link));
    return n > 0 ? std::string(link, static_cast<size_t>(n)) : std::string();
  };
  const std::string own = network(root_.of(self_, "ns/net"));
  const std::string theirs = network(root_.of(target, "ns/net"));
  return !own.empty() && !theirs.empty() && own != theirs;
}

}  // namespace plumb::host_metrics
