#include "plugins/host_metrics/downstream.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace plumb::host_metrics {

using proc::TcpSocket;

namespace {

constexpr uint8_t kEstablishedState = 1;  // TCP_ESTABLISHED
constexpr uint8_t kFinWait1State = 4;
constexpr uint8_t kFinWait2State = 5;
constexpr uint32_t kClosesWithinMs = 10'000;  // a peer that has not by then is waited for by nobody
constexpr int kChurnLasts = 50;  // resolves for which a burst of new connections is remembered
constexpr double kShareFade = 0.99;
constexpr size_t kMostForeign = 65536;

}  // namespace

bool Downstream::outbound(const TcpSocket& s) const {
  const bool accepted =
      std::find(listening_.begin(), listening_.end(), s.local_port) != listening_.end();
  return s.inode != 0 && !accepted;
}

size_t Downstream::peer_of(const TcpSocket& socket) const {
  const auto it = peer_index_.find(proc::peer_label(socket));
  return it != peer_index_.end() ? it->second : kMostPeers;
}

Downstream::Peer* Downstream::known_peer(const TcpSocket& socket) {
  const size_t index = peer_of(socket);
  return index < peers_.size() ? &peers_[index] : nullptr;
}

void Downstream::name_peers(std::span<const TcpSocket> fresh) {
  std::map<std::string, size_t> unnamed;
  for (const TcpSocket& s : fresh) {
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
      peers_.emplace_back().label = label;
    } else if (peers_.size() == kMostPeers) {
      peers_.emplace_back().label = "other";
    }
  }
}

Status Downstream::resolve(std::span<const uint16_t> listening) {
  listening_.assign(listening.begin(), listening.end());
  read_.clear();
  PLUMB_RETURN_IF_ERROR(source_.open(listening_, read_));
  tracked_.clear();
  lost_ = false;
  for (auto& [inode, connection] : connections_) connection.seen = false;
  for (auto& [inode, seen] : foreign_) seen = false;
  std::vector<Stranger> before = std::exchange(strangers_, {});
  const auto by_inode = [](const Stranger& stranger, uint64_t inode) {
    return stranger.socket.inode < inode;
  };
  std::sort(before.begin(), before.end(),
            [](const Stranger& a, const Stranger& b) { return a.socket.inode < b.socket.inode; });
  size_t fresh = 0;
  for (const TcpSocket& s : read_) {
    if (!outbound(s)) continue;
    if (const auto own = connections_.find(s.inode); own != connections_.end()) {
      own->second.seen = true;
      tracked_.push_back(s);
      continue;
    }
    if (const auto other = foreign_.find(s.inode); other != foreign_.end()) {
      other->second = true;
      continue;
    }
    Peer* peer = known_peer(s);
    const auto known = std::lower_bound(before.begin(), before.end(), s.inode, by_inode);
    const bool met = known != before.end() && known->socket.inode == s.inode;
    if (met && known->missed) {
      if (foreign_.size() < kMostForeign) foreign_.emplace(s.inode, true);
      if (peer != nullptr) peer->foreign = peer->foreign * kShareFade + 1;
      continue;
    }
    if (!met && peer != nullptr && peer->own > 0) ++fresh;
    strangers_.push_back({s});
  }
  std::erase_if(connections_, [](const auto& entry) { return !entry.second.seen; });
  std::erase_if(foreign_, [](const auto& entry) { return !entry.second; });
  if (churning_ > 0) --churning_;
  if (fresh * 5 > tracked_.size()) churning_ = kChurnLasts;
  return Status::ok();
}

void Downstream::claim(std::span<const uint64_t> inodes, bool later) {
  const size_t known = tracked_.size();
  std::erase_if(strangers_, [&](Stranger& stranger) {
    const bool own = std::binary_search(inodes.begin(), inodes.end(), stranger.socket.inode);
    if (own) tracked_.push_back(stranger.socket);
    stranger.missed = later;
    return own;
  });
  const auto fresh = std::span<const TcpSocket>(tracked_).subspan(known);
  name_peers(fresh);
  for (const TcpSocket& s : fresh) {
    const size_t peer = peer_of(s);
    peers_[peer].own = peers_[peer].own * kShareFade + 1;
    connections_[s.inode] = {.peer = peer, .history = {}, .seen = true};
  }
  if (resolved_ && fresh.size() * 5 > tracked_.size()) churning_ = kChurnLasts;
  resolved_ = true;
}

namespace {

// Half closed by a holder that has not let go of it: it waits for its peer to close, as a client
// does that says goodbye to a database.
bool is_closing(const TcpSocket& s) {
  return s.state == kFinWait1State || s.state == kFinWait2State;
}

Judgement judge_closing(const TcpSocket& s) {
  const bool waits = s.info.bytes_sent > 0 && s.info.last_data_sent_ms < kClosesWithinMs;
  const Awaiting answer = waits ? Awaiting::kYes : Awaiting::kNo;
  return {answer, answer};
}

}  // namespace

void Downstream::look_at(const TcpSocket& s, size_t index, SocketHistory& history, double weight) {
  if (!s.has_info || (s.state != kEstablishedState && !is_closing(s))) return;
  Peer& peer = peers_[index];
  const bool still = history.seen && s.info.data_segments_out == history.data_out &&
                     s.info.data_segments_in == history.data_in;
  active_ = active_ || !still;
  const Judgement answer = is_closing(s) ? judge_closing(s) : judge(s.info, history, peer.habits);
  ++looks_;
  if (answer.proven == Awaiting::kUndecided) ++undecided_;
  peer.seen.now += weight;
  peer.looked_at += 1;
  if (answer.proven == Awaiting::kYes) peer.low.now += weight;
  // A reply that has come and was not read yet: the peer has answered, the caller still waits.
  const bool unread = s.receive_queue > 0 && s.info.bytes_sent > 0;
  if (answer.proven != Awaiting::kNo || unread) peer.high.now += weight;
  if (answer.likely == Awaiting::kYes) peer.awaiting.now += weight;
  if (answer.likely == Awaiting::kUndecided) peer.awaiting.now += 0.5 * weight;
}

void Downstream::look(int64_t span_ns) {
  begin_look();
  for (const TcpSocket& s : tracked_) {
    if (const auto it = connections_.find(s.inode); it != connections_.end()) {
      look_at(s, it->second.peer, it->second.history, 1);
    }
  }
  // Gone before it could be told whose they were: the target's in proportion to those that could.
  for (const Stranger& stranger : strangers_) {
    const size_t index = peer_of(stranger.socket);
    if (index >= peers_.size() || peers_[index].own <= 0) continue;
    SocketHistory history;
    const Peer& peer = peers_[index];
    look_at(stranger.socket, index, history, peer.own / (peer.own + peer.foreign));
  }
  end_look(span_ns);
}

void Downstream::end_look(int64_t span_ns) {
  const auto span = static_cast<double>(span_ns);
  ++samples_;
  span_ += span;
  span_squares_ += span * span;
  for (Peer& peer : peers_) {
    for (Tally* tally : {&peer.awaiting, &peer.low, &peer.high, &peer.seen}) tally->end_look(span);
  }
}

double Downstream::standard_error(const Tally& tally, const Peer& peer) const {
  // As many looks that all stand for the same time would be worth these.
  const double looks = span_ * span_ / span_squares_;
  const double n = peer.looked_at * looks / static_cast<double>(samples_);
  if (n <= 0 || peer.seen.sum <= 0) return 0;
  // Of how many sockets there were to count, and, should that not vary, of how many of them counted
  // (Wilson's interval: ten out of ten is not certainly all).
  const double mean = tally.sum / span_;
  const double variance = std::max(0.0, tally.squares / span_ - mean * mean);
  const double part = std::min(1.0, tally.sum / peer.seen.sum);
  const double wilson = std::sqrt(part * (1 - part) / n + 1 / (4 * n * n)) + 1 / (2 * n);
  return std::max(std::sqrt(variance / looks), wilson * peer.seen.sum / span_);
}

void Downstream::choose() {
  for (Peer& peer : peers_) peer.tracked = 0;
  const auto peer_at = [&](const TcpSocket& s) -> Peer* {
    const auto it = connections_.find(s.inode);
    return it != connections_.end() ? &peers_[it->second.peer] : nullptr;
  };
  for (const TcpSocket& s : tracked_) {
    if (Peer* peer = peer_at(s)) ++peer->tracked;
  }
  chosen_.clear();
  std::vector<size_t> place(peers_.size(), 0);
  for (const TcpSocket& s : tracked_) {
    const Peer* peer = peer_at(s);
    if (peer == nullptr) continue;
    const auto index = static_cast<size_t>(peer - peers_.data());
    const size_t distance =
        (place[index]++ + peer->tracked - peer->next % peer->tracked) % peer->tracked;
    if (distance < kMostPerLook) chosen_.push_back(s);
  }
}

Status Downstream::look_again(int64_t span_ns) {
  choose();
  begin_look();
  read_.clear();
  if (!chosen_.empty()) PLUMB_RETURN_IF_ERROR(source_.again(chosen_, read_));
  size_t found = 0;
  for (const TcpSocket& s : read_) {
    const auto it = connections_.find(s.inode);
    if (it == connections_.end()) continue;
    ++found;
    const auto all = static_cast<double>(peers_[it->second.peer].tracked);
    look_at(s, it->second.peer, it->second.history, std::max(1.0, all / kMostPerLook));
  }
  for (Peer& peer : peers_) {
    if (peer.tracked > 0) peer.next = (peer.next + kMostPerLook) % peer.tracked;
  }
  lost_ = lost_ || found < chosen_.size();
  end_look(span_ns);
  return Status::ok();
}

std::vector<PeerReading> Downstream::take() {
  std::vector<PeerReading> out;
  if (samples_ == 0) return out;
  for (Peer& peer : peers_) peer.sockets = 0;
  for (const auto& [inode, connection] : connections_) ++peers_[connection.peer].sockets;
  for (Peer& peer : peers_) {
    const double low = peer.low.sum / span_ - standard_error(peer.low, peer);
    const double high = peer.high.sum / span_ + standard_error(peer.high, peer);
    out.push_back({peer.label, peer.awaiting.sum / span_, std::max(0.0, low), high,
                   static_cast<double>(peer.sockets)});
    peer.awaiting = peer.low = peer.high = peer.seen = {};
    peer.looked_at = 0;
  }
  samples_ = 0;
  span_ = span_squares_ = 0;
  return out;
}

}  // namespace plumb::host_metrics
