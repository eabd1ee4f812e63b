#include "plugins/host_metrics/downstream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

namespace plumb::host_metrics {
namespace {

using proc::TcpSocket;

constexpr int64_t kSpan = 100'000'000;

TcpSocket connection(uint64_t inode, uint16_t local, uint16_t peer_port, bool awaiting) {
  TcpSocket s;
  s.family = AF_INET;
  s.state = 1;
  s.local_port = local;
  s.peer_port = peer_port;
  s.peer = {127, 0, 0, 1};
  s.inode = inode;
  s.has_info = true;
  s.info.data_segments_out = s.info.data_segments_in = 5;
  s.info.bytes_sent = s.info.bytes_received = 500;
  s.info.last_data_sent_ms = awaiting ? 10 : 90;
  s.info.last_data_received_ms = 50;
  return s;
}

// A resolve whose unknown connections are claimed by the descriptors read after it.
Status resolve(Downstream& d, std::span<const uint64_t> inodes,
               std::span<const uint16_t> listening) {
  PLUMB_RETURN_IF_ERROR(d.resolve(listening));
  if (d.owners_unknown()) d.claim(inodes, true);
  return Status::ok();
}

class FakeSockets final : public SocketSource {
 public:
  explicit FakeSockets(std::vector<TcpSocket>* all) : all_(all) {}
  Status open(std::span<const uint16_t>, std::vector<TcpSocket>& out) override {
    if (all_ == nullptr) return Status::permission_denied("refused");
    out.insert(out.end(), all_->begin(), all_->end());
    return Status::ok();
  }
  Status listening(std::vector<TcpSocket>&) override { return Status::ok(); }
  Status connections(std::vector<TcpSocket>&) override { return Status::ok(); }
  Status again(std::span<const TcpSocket> sockets, std::vector<TcpSocket>& out) override {
    for (const TcpSocket& s : *all_) {
      const bool asked = std::any_of(sockets.begin(), sockets.end(),
                                     [&](const TcpSocket& a) { return a.inode == s.inode; });
      if (asked) out.push_back(s);
    }
    return Status::ok();
  }

 private:
  std::vector<TcpSocket>* all_;
};

class DownstreamTest : public ::testing::Test {
 protected:
  std::vector<TcpSocket> sockets_;
  FakeSockets source_{&sockets_};
  Downstream d{source_};
};

TEST_F(DownstreamTest, OnlyOutboundConnectionsOfTheTargetCount) {
  sockets_ = {connection(1, 40001, 5432, true), connection(2, 8080, 50000, true),
              connection(3, 40003, 5432, true)};
  const uint64_t inodes[] = {1, 2};
  const uint16_t listening[] = {8080};
  ASSERT_TRUE(resolve(d, inodes, listening));
  ASSERT_TRUE(d.look_again(kSpan));
  const auto peers = d.take();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].peer, "127.0.0.1:5432");
  EXPECT_EQ(peers[0].awaiting, 1);
  EXPECT_EQ(peers[0].sockets, 1);
}

TEST_F(DownstreamTest, AwaitingIsTheMeanOverTheSamples) {
  sockets_ = {connection(1, 40001, 80, true), connection(2, 40002, 80, false)};
  const uint64_t inodes[] = {1, 2};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  sockets_[1] = connection(2, 40002, 80, true);
  ASSERT_TRUE(d.look_again(kSpan));
  sockets_.clear();
  ASSERT_TRUE(d.look_again(kSpan));
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_EQ(d.take().at(0).awaiting, 0.75);
  EXPECT_TRUE(d.take().empty()) << "without a sample nothing is known";
}

TEST_F(DownstreamTest, ALookCountsForTheTimeItStandsFor) {
  sockets_ = {connection(1, 40001, 80, true)};
  const uint64_t inodes[] = {1};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(5 * kSpan));
  sockets_[0] = connection(1, 40001, 80, false);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(d.look_again(kSpan));
  const auto peers = d.take();
  EXPECT_DOUBLE_EQ(peers.at(0).awaiting, 5.0 / 8);
  EXPECT_LT(peers.at(0).low, 5.0 / 8);
  EXPECT_GT(peers.at(0).high, 5.0 / 8);
}

TEST_F(DownstreamTest, WhoHasSaidGoodbyeAwaitsThatItsPeerCloses) {
  constexpr uint8_t kFinWait1 = 4;
  constexpr uint8_t kFinWait2 = 5;
  constexpr uint8_t kCloseWait = 8;
  for (uint64_t inode : {1, 2, 3, 4}) {
    sockets_.push_back(connection(inode, static_cast<uint16_t>(40000 + inode), 80, false));
  }
  sockets_[0].state = kFinWait1;
  sockets_[1].state = kFinWait2;
  sockets_[2].state = kCloseWait;  // the peer has closed, the target has not
  sockets_[3].state = kFinWait2;
  sockets_[3].info.last_data_sent_ms = 60'000;  // left behind
  const uint64_t inodes[] = {1, 2, 3, 4};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_EQ(d.take().at(0).awaiting, 2);
}

TEST_F(DownstreamTest, AConnectionIsActiveWhenDataWentOverItSinceTheLookBefore) {
  sockets_ = {connection(1, 40001, 80, false), connection(2, 40002, 80, false)};
  const uint64_t inodes[] = {1, 2};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_TRUE(d.active()) << "nobody knows what was before";
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_FALSE(d.active());
  ++sockets_[1].info.data_segments_out;
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_TRUE(d.active());
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_FALSE(d.active());
}

TEST_F(DownstreamTest, AConnectionThatIsGoneIsLostUntilTheNextResolve) {
  sockets_ = {connection(1, 40001, 80, false), connection(2, 40002, 80, false)};
  const uint64_t inodes[] = {1, 2};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_FALSE(d.lost());
  sockets_.pop_back();
  ASSERT_TRUE(d.look_again(kSpan));
  EXPECT_TRUE(d.lost());
  ASSERT_TRUE(resolve(d, inodes, {}));
  EXPECT_FALSE(d.lost());
}

TEST_F(DownstreamTest, APeerThatWasSeenOnceStaysWithZero) {
  sockets_ = {connection(1, 40001, 80, true)};
  const uint64_t inodes[] = {1};
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  (void)d.take();
  sockets_.clear();
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  const auto peers = d.take();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].awaiting, 0);
  EXPECT_EQ(peers[0].sockets, 0);
}

TEST_F(DownstreamTest, BeyondTwentyPeersTheSmallestAreOne) {
  std::vector<uint64_t> inodes;
  for (uint16_t i = 0; i < 25; ++i) {
    for (uint16_t n = 0; n < (i < 5 ? 1 : 2); ++n) {
      inodes.push_back(inodes.size() + 1);
      sockets_.push_back(connection(inodes.back(), 40000, static_cast<uint16_t>(1000 + i), true));
    }
  }
  ASSERT_TRUE(resolve(d, inodes, {}));
  ASSERT_TRUE(d.look_again(kSpan));
  const auto peers = d.take();
  ASSERT_EQ(peers.size(), 21u);
  EXPECT_EQ(peers[20].peer, "other");
  EXPECT_EQ(peers[20].awaiting, 5);
  EXPECT_EQ(peers[0].sockets, 2);
}

TEST_F(DownstreamTest, ConnectionsThatComeAndGoAreNoticed) {
  sockets_ = {connection(1, 40001, 80, true)};
  const uint64_t inodes[] = {1, 2, 3};
  ASSERT_TRUE(resolve(d, inodes, {}));
  EXPECT_FALSE(d.churns());
  ASSERT_TRUE(resolve(d, inodes, {}));
  EXPECT_FALSE(d.churns());
  sockets_ = {connection(2, 40002, 80, true)};
  ASSERT_TRUE(resolve(d, inodes, {}));
  EXPECT_TRUE(d.churns());
}

TEST_F(DownstreamTest, UndecidedConnectionsAreWhatLiesBetweenLowAndHigh) {
  for (uint64_t i = 1; i <= 4; ++i) {
    sockets_.push_back(connection(i, static_cast<uint16_t>(40000 + i), 80, i == 1));
  }
  // Two whose stamps tie, with nothing that breaks the tie.
  for (size_t i = 2; i < 4; ++i) {
    sockets_[i].info.last_data_sent_ms = sockets_[i].info.last_data_received_ms = 5;
    sockets_[i].info.last_ack_received_ms = 5;
    sockets_[i].info.data_segments_out = 900;
    sockets_[i].info.data_segments_in = 400;
    sockets_[i].info.segments_in = 850;
  }
  const uint64_t inodes[] = {1, 2, 3, 4};
  ASSERT_TRUE(resolve(d, inodes, {}));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(d.look_again(kSpan));
  const PeerReading peer = d.take().at(0);
  EXPECT_NEAR(peer.low, 1, 0.05);
  EXPECT_NEAR(peer.awaiting, 2, 0.05);
  EXPECT_NEAR(peer.high, 3, 0.05);
}

TEST_F(DownstreamTest, AReplyThatWasNotReadYetMayStillBeAwaited) {
  sockets_ = {connection(1, 40001, 80, false)};
  sockets_[0].receive_queue = 10;
  const uint64_t inodes[] = {1};
  ASSERT_TRUE(resolve(d, inodes, {}));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(d.look_again(kSpan));
  const PeerReading peer = d.take().at(0);
  EXPECT_EQ(peer.awaiting, 0);
  EXPECT_NEAR(peer.high, 1, 0.01);
}

TEST_F(DownstreamTest, FewLooksGiveAWideInterval) {
  sockets_ = {connection(1, 40001, 80, true)};
  const uint64_t inodes[] = {1};
  ASSERT_TRUE(resolve(d, inodes, {}));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(d.look_again(kSpan));
  const PeerReading few = d.take().at(0);
  EXPECT_EQ(few.awaiting, 1);
  EXPECT_NEAR(few.low, 0.9, 0.02);
  EXPECT_NEAR(few.high, 1.1, 0.02);
}

TEST_F(DownstreamTest, ManyConnectionsToOnePeerStandForEachOther) {
  std::vector<uint64_t> inodes;
  for (uint64_t i = 1; i <= 100; ++i) {
    inodes.push_back(i);
    sockets_.push_back(connection(i, static_cast<uint16_t>(40000 + i), 80, i % 4 == 0));
  }
  ASSERT_TRUE(resolve(d, inodes, {}));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(d.look_again(kSpan));
  const PeerReading peer = d.take().at(0);
  EXPECT_NEAR(peer.awaiting, 25, 1.5);
  EXPECT_EQ(peer.sockets, 100);
  EXPECT_LE(d.looks(), 100u * 8 + 100);
}

TEST_F(DownstreamTest, ConnectionsThatAreGoneBeforeTheirOwnerIsKnownCountByThePeersOthers) {
  // Half of the peer's connections turn out to be somebody else's.
  sockets_ = {connection(1, 40001, 80, true), connection(2, 40002, 80, true)};
  const uint64_t own[] = {1};
  ASSERT_TRUE(resolve(d, own, {}));
  ASSERT_TRUE(resolve(d, own, {}));
  sockets_ = {connection(7, 40007, 80, true)};
  ASSERT_TRUE(resolve(d, {}, {}));
  d.look(kSpan);
  EXPECT_NEAR(d.take().at(0).awaiting, 0.5, 1e-9);
  // Still there: it is somebody else's for certain.
  ASSERT_TRUE(resolve(d, {}, {}));
  d.look(kSpan);
  EXPECT_EQ(d.take().at(0).awaiting, 0);
}

TEST_F(DownstreamTest, ARefusedSourceIsAStatusAndNoReading) {
  FakeSockets refused(nullptr);
  Downstream blind(refused);
  EXPECT_EQ(blind.resolve({}).code(), PLUMB_PERMISSION_DENIED);
  EXPECT_TRUE(blind.take().empty());
}

TEST(PeerLabel, WritesAddressesAsPeopleDo) {
  TcpSocket s = connection(1, 1, 5432, false);
  EXPECT_EQ(proc::peer_label(s), "127.0.0.1:5432");
  s.family = AF_INET6;
  s.peer = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7};
  EXPECT_EQ(proc::peer_label(s), "10.0.0.7:5432");
  s.peer = {};
  s.peer[15] = 1;
  EXPECT_EQ(proc::peer_label(s), "[::1]:5432");
}

}  // namespace
}  // namespace plumb::host_metrics
