#include "plugins/host_metrics/target_sockets.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/proc/sockets.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

// Looks at sockets take at most this part of a processor, reading descriptors likewise.
constexpr int64_t kLookPart = 400;
constexpr int64_t kDescriptorPart = 500;
constexpr int64_t kCountPart = 5000;
constexpr int64_t kListenersEveryNs = 4'500'000'000;
constexpr int64_t kCountEveryNs = 1'900'000'000;
// Connections may be handed over between processes, and processes moved between namespaces, which
// nothing tells.
constexpr int64_t kResolveAnywayNs = 30'000'000'000;
constexpr int64_t kNetworkEveryNs = 10'000'000'000;
// What a look stands for that comes beside another one, and the most that any does.
constexpr int64_t kBesideNs = 1'000'000;
constexpr int64_t kLongestSpanNs = 1'000'000'000;

}  // namespace

TargetSockets::TargetSockets(proc::Root root, SocketSource& source, Pid self)
    : root_(std::move(root)),
      self_(self),
      downstream_(source),
      queues_(source),
      source_(source),
      scan_pace_(kDescriptorPart, 0),
      look_pace_(kLookPart, 0),
      resolve_pace_(kLookPart, 0),
      count_pace_(kCountPart, kCountEveryNs),
      listeners_pace_(kCountPart, kListenersEveryNs) {}

void TargetSockets::forget() {
  for (Pace* pace : {&scan_pace_, &look_pace_, &resolve_pace_, &count_pace_, &listeners_pace_}) {
    pace->hurry();
  }
  listener_inodes_.clear();
  resolved_ns_ = INT64_MIN;
  seen_from_ = 0;
}

void TargetSockets::tick(int64_t now_ns, std::span<const Pid> target, Problems& problems) {
  const bool any = downstream_.any() || downstream_.churns() || queues_.any();
  if (!visible_ || target.empty() || !any) {
    last_look_ns_ = now_ns;
    busy_ = false;
    return;
  }
  if (!look_pace_.due(now_ns)) return;
  const Pace::Turn turn(look_pace_, now_ns);
  const int64_t span_ns = begin_look(now_ns);
  Status status;
  if (downstream_.churns()) {
    resolve(now_ns, target, problems, span_ns);
  } else if (downstream_.any()) {
    status = downstream_.look_again(span_ns);
  }
  if (status) status = queues_.look(span_ns);
  busy_ = downstream_.churns() || downstream_.active() || queues_.waiting();
  if (!status) problems.set("downstream", status.message());
}

int64_t TargetSockets::begin_look(int64_t now_ns) {
  return std::clamp(now_ns - std::exchange(last_look_ns_, now_ns), kBesideNs, kLongestSpanNs);
}

void TargetSockets::second(int64_t now_ns, std::span<const Pid> target,
                           std::optional<uint64_t> opened, Outlet& outlet, Problems& problems) {
  if (last_look_ns_ == 0) last_look_ns_ = now_ns;
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
    seen_from_ = 0;
    inodes_.clear();
    unseen_.clear();
    listener_inodes_.clear();
    listeners_pace_.hurry();
    problems.set("descriptors", "");
    return;
  }
  see_network(now_ns, target.front());
  if (visible_) {
    if (listeners_pace_.due(now_ns)) resolve_listeners(now_ns, target, problems);
    if (resolve_pace_.due(now_ns) && connections_changed(now_ns, opened)) {
      opened_ = opened;
      resolve(now_ns, target, problems, begin_look(now_ns));
    }
  } else {
    problems.set("downstream",
                 "the target lives in another network namespace: run plumb inside it to see its "
                 "outbound connections");
  }
  emit_descriptors(now_ns, target, outlet, problems);
}

void TargetSockets::resolve_listeners(int64_t now_ns, std::span<const Pid> target,
                                      Problems& problems) {
  const Pace::Turn turn(listeners_pace_, now_ns);
  listeners_.clear();
  if (const Status status = source_.listening(listeners_); !status) {
    problems.set("downstream", status.message());
    return;
  }
  std::vector<uint64_t> inodes;
  for (const proc::TcpSocket& s : listeners_) inodes.push_back(s.inode);
  std::sort(inodes.begin(), inodes.end());
  if (inodes != listener_inodes_ && scan_descriptors(now_ns, target, problems)) {
    listener_inodes_ = std::move(inodes);
  }
  const std::vector<uint16_t> before = queues_.ports();
  queues_.resolve(listeners_, inodes_, kBesideNs);
  // What was accepted on them is no outbound connection, and the other way round.
  if (queues_.ports() != before) resolved_ns_ = INT64_MIN;
}

bool TargetSockets::connections_changed(int64_t now_ns, std::optional<uint64_t> opened) const {
  if (resolved_ns_ == now_ns) return false;  // by the tick
  return !opened || opened != opened_ || resolved_ns_ == INT64_MIN ||
         now_ns - resolved_ns_ >= kResolveAnywayNs || downstream_.lost() ||
         downstream_.owners_unknown();
}

void TargetSockets::resolve(int64_t now_ns, std::span<const Pid> target, Problems& problems,
                            int64_t span_ns) {
  const Pace::Turn turn(resolve_pace_, now_ns);
  const Status status = downstream_.resolve(queues_.ports());
  problems.set("downstream", status.message());
  if (!status) return;
  resolved_ns_ = now_ns;
  if (downstream_.owners_unknown()) {
    const bool later = scan_descriptors(now_ns, target, problems);
    downstream_.claim(inodes_, later);
  }
  downstream_.look(span_ns);
}

bool TargetSockets::scan_descriptors(int64_t now_ns, std::span<const Pid> target,
                                     Problems& problems) {
  if (!scan_pace_.due(now_ns)) return false;
  const Pace::Turn turn(scan_pace_, now_ns);
  std::vector<uint64_t> found;
  bool whole = true;
  unseen_.clear();
  for (const Pid pid : target) {
    const auto held = proc::list_sockets(root_, pid);
    if (held) {
      found.insert(found.end(), held.value().begin(), held.value().end());
    } else if (held.status().code() != PLUMB_NOT_FOUND) {
      unseen_ = held.status().message();
      whole = whole && held.status().code() == PLUMB_PERMISSION_DENIED;
    }
  }
  // What could not be read now, but may be the next time, is what it was.
  if (!whole) found.insert(found.end(), inodes_.begin(), inodes_.end());
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  inodes_ = std::move(found);
  problems.set("descriptors", unseen_);
  return whole;
}

void TargetSockets::emit_descriptors(int64_t now_ns, std::span<const Pid> target, Outlet& outlet,
                                     Problems& problems) {
  if (!count_pace_.due(now_ns)) return;
  const Pace::Turn turn(count_pace_, now_ns);
  size_t count = 0;
  uint64_t most = 0;
  bool limited = true;
  for (const Pid pid : target) {
    const auto open = proc::count_descriptors(root_, pid);
    if (open) {
      count += open.value();
      const auto limit = proc::descriptor_limit(root_, pid);
      limited &= limit.has_value();
      most += limit.value_or(0);
    } else if (open.status().code() != PLUMB_NOT_FOUND) {
      problems.set("descriptors", open.status().message());
      return;
    }
  }
  problems.set("descriptors", unseen_);
  outlet.add("target_descriptors", now_ns, static_cast<double>(count));
  if (limited && most > 0)
    outlet.add("target_descriptors_limit", now_ns, static_cast<double>(most));
}

void TargetSockets::see_network(int64_t now_ns, Pid target) {
  if (target == seen_from_ && now_ns - seen_ns_ < kNetworkEveryNs) return;
  visible_ = !other_network(target);
  seen_from_ = target;
  seen_ns_ = now_ns;
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
