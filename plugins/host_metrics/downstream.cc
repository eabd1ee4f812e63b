#include "plugins/host_metrics/downstream.h"

#include <algorithm>
#include <map>
#include <optional>

namespace plumb::host_metrics {

using proc::TcpSocket;

namespace {

constexpr uint8_t kEstablishedState = 1;  // TCP_ESTABLISHED
constexpr int kChurnLasts = 50;  // resolves for which a burst of new connections is remembered

class KernelSockets final : public SocketSource {
 public:
  Status established(std::span<const uint16_t> except_local_ports,
                     std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(open());
    return close_on_failure(
        diag_->dump(proc::SockDiag::kEstablished, true, except_local_ports, out));
  }
  Status again(std::span<const TcpSocket> sockets, std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(open());
    return close_on_failure(diag_->refresh(sockets, out));
  }

 private:
  Status open() {
    if (diag_) return Status::ok();
    PLUMB_ASSIGN_OR_RETURN(diag_, proc::SockDiag::open());
    return Status::ok();
  }
  // A socket that failed half way may hold answers to a question nobody asks any more.
  Status close_on_failure(Status status) {
    if (!status) diag_.reset();
    return status;
  }
  std::optional<proc::SockDiag> diag_;
};

bool holds(std::span<const uint64_t> ascending, uint64_t value) {
  return std::binary_search(ascending.begin(), ascending.end(), value);
}

}  // namespace

std::unique_ptr<SocketSource> make_kernel_sockets() { return std::make_unique<KernelSockets>(); }

size_t Downstream::peer_of(const TcpSocket& socket) {
  const auto it = peer_index_.find(proc::peer_label(socket));
  return it != peer_index_.end() ? it->second : kMostPeers;
}

void Downstream::name_peers() {
  std::map<std::string, size_t> unnamed;
  for (const TcpSocket& s : tracked_) {
    std::string label = proc::peer_label(s);
    if (!peer_index_.contains(label)) ++unnamed[std::move(label)];
  }
  std::vector<std::pair<size_t, std::string>> by_size;
  for (auto& [label, sockets] : unnamed) by_size.emplace_back(sockets, label);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& [sockets, label] : by_size) {
    if (peers_.size() < kMostPeers) {
      peer_index_.emplace(label, peers_.size());
      peers_.push_back({label});
    } else if (peers_.size() == kMostPeers) {
      peers_.push_back({"other"});
    }
  }
}

Status Downstream::resolve(std::span<const uint64_t> inodes, std::span<const uint16_t> listening) {
  listening_.assign(listening.begin(), listening.end());
  read_.clear();
  if (!inodes.empty()) PLUMB_RETURN_IF_ERROR(source_->established(listening_, read_));
  tracked_.clear();
  for (const TcpSocket& s : read_) {
    const bool accepted =
        std::find(listening_.begin(), listening_.end(), s.local_port) != listening_.end();
    if (s.inode != 0 && !accepted && holds(inodes, s.inode)) tracked_.push_back(s);
  }
  name_peers();

  for (auto& [inode, connection] : connections_) connection.seen = false;
  for (Peer& peer : peers_) peer.sockets = 0;
  size_t fresh = 0;
  for (const TcpSocket& s : tracked_) {
    const auto [it, added] = connections_.try_emplace(s.inode);
    if (added) ++fresh;
    it->second.peer = peer_of(s);
    it->second.seen = true;
    ++peers_[it->second.peer].sockets;
  }
  std::erase_if(connections_, [](const auto& entry) { return !entry.second.seen; });
  if (churning_ > 0) --churning_;
  if (resolved_ && fresh > 0 && fresh * 5 > tracked_.size()) churning_ = kChurnLasts;
  resolved_ = true;
  return Status::ok();
}

Status Downstream::sample() {
  read_.clear();
  if (tracked_.size() > kMostRefreshed) {
    PLUMB_RETURN_IF_ERROR(source_->established(listening_, read_));
  } else if (!tracked_.empty()) {
    PLUMB_RETURN_IF_ERROR(source_->again(tracked_, read_));
  }
  ++samples_;
  for (const TcpSocket& s : read_) {
    const auto it = connections_.find(s.inode);
    if (it == connections_.end() || !s.has_info || s.state != kEstablishedState) continue;
    const Awaiting answer = judge(s.info, it->second.history);
    ++looks_;
    Peer& peer = peers_[it->second.peer];
    if (answer == Awaiting::kYes) peer.awaiting += 1;
    if (answer == Awaiting::kUndecided) {
      ++undecided_;
      peer.awaiting += 0.5;
    }
  }
  return Status::ok();
}

std::vector<PeerReading> Downstream::take() {
  std::vector<PeerReading> out;
  if (samples_ == 0) return out;
  for (Peer& peer : peers_) {
    out.push_back({peer.label, peer.awaiting / static_cast<double>(samples_),
                   static_cast<double>(peer.sockets)});
    peer.awaiting = 0;
  }
  samples_ = 0;
  return out;
}

}  // namespace plumb::host_metrics
