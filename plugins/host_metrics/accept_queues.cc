#include "plugins/host_metrics/accept_queues.h"

#include <algorithm>

namespace plumb::host_metrics {

using proc::TcpSocket;

namespace {

constexpr size_t kMostPorts = 16;
constexpr uint8_t kListenState = 10;  // TCP_LISTEN

}  // namespace

void AcceptQueues::resolve(std::span<const TcpSocket> listeners, std::span<const uint64_t> inodes,
                           int64_t span_ns) {
  const size_t before = listeners_.size();
  listeners_.clear();
  ports_.clear();
  for (const TcpSocket& s : listeners) {
    if (!std::binary_search(inodes.begin(), inodes.end(), s.inode)) continue;
    listeners_.push_back(s);
    ports_.push_back(s.local_port);
  }
  std::sort(ports_.begin(), ports_.end());
  ports_.erase(std::unique(ports_.begin(), ports_.end()), ports_.end());
  if (ports_.size() > kMostPorts) {
    const uint16_t last = ports_[kMostPorts - 1];
    std::erase_if(listeners_, [&](const TcpSocket& s) { return s.local_port > last; });
  }
  std::erase_if(queues_, [&](const auto& entry) {
    return !std::binary_search(ports_.begin(), ports_.end(), entry.first);
  });
  if (listeners_.size() != before) list_all_ = false;
  count(listeners_, span_ns);
}

Status AcceptQueues::look(int64_t span_ns) {
  if (listeners_.empty()) return Status::ok();
  read_.clear();
  if (!list_all_) {
    PLUMB_RETURN_IF_ERROR(source_.again(listeners_, read_));
    if (read_.size() == listeners_.size()) {
      count(read_, span_ns);
      return Status::ok();
    }
    list_all_ = true;
    read_.clear();
  }
  PLUMB_RETURN_IF_ERROR(source_.listening(read_));
  std::erase_if(read_, [&](const TcpSocket& s) {
    return std::none_of(listeners_.begin(), listeners_.end(),
                        [&](const TcpSocket& own) { return own.inode == s.inode; });
  });
  count(read_, span_ns);
  return Status::ok();
}

void AcceptQueues::count(std::span<const TcpSocket> sockets, int64_t span_ns) {
  if (sockets.empty()) return;
  for (auto& [port, queue] : queues_) queue.now = queue.limit = 0;
  for (const TcpSocket& s : sockets) {
    if (s.state != kListenState) continue;
    Queue& queue = queues_[s.local_port];
    queue.now += s.receive_queue;
    queue.limit += s.send_queue;
  }
  for (auto& [port, queue] : queues_) {
    queue.sum += static_cast<double>(queue.now) * static_cast<double>(span_ns);
    queue.longest = std::max(queue.longest, queue.now);
  }
  span_ += static_cast<double>(span_ns);
}

bool AcceptQueues::waiting() const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [](const auto& entry) { return entry.second.now > 0; });
}

std::vector<AcceptQueueReading> AcceptQueues::take() {
  std::vector<AcceptQueueReading> out;
  if (span_ <= 0) return out;
  for (auto& [port, queue] : queues_) {
    out.push_back({port, queue.sum / span_, static_cast<double>(queue.longest),
                   static_cast<double>(queue.limit)});
    queue.sum = 0;
    queue.longest = 0;
  }
  span_ = 0;
  return out;
}

}  // namespace plumb::host_metrics
