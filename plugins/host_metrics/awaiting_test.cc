#include "plugins/host_metrics/awaiting.h"

#include <gtest/gtest.h>

namespace plumb::host_metrics {
namespace {

// A connection after `exchanges` calls of one segment each way, whose last send and receipt fell
// into one jiffy `age_ms` ago.
proc::TcpInfo tie(uint32_t age_ms, uint32_t sent, uint32_t received, uint32_t bare_acks) {
  proc::TcpInfo i;
  i.last_data_sent_ms = i.last_data_received_ms = i.last_ack_received_ms = age_ms;
  i.data_segments_out = sent;
  i.data_segments_in = received;
  i.segments_out = sent + 3;
  i.segments_in = received + bare_acks + 2;
  i.bytes_sent = sent * 50;
  i.bytes_received = received * 50;
  return i;
}

// What is likely of a socket to a peer of which nothing else is known.
Awaiting likely(const proc::TcpInfo& info, SocketHistory& history) {
  PeerHabits habits;
  return judge(info, history, habits).likely;
}

Awaiting once(const proc::TcpInfo& info) {
  SocketHistory history;
  return likely(info, history);
}

TEST(Awaiting, AConnectionThatNeverSentAwaitsNothing) {
  proc::TcpInfo i;
  i.last_data_sent_ms = 5;
  i.last_data_received_ms = 900;
  i.segments_in = 4;
  i.data_segments_in = 2;
  EXPECT_EQ(once(i), Awaiting::kNo);
}

TEST(Awaiting, TheLastSendBeingTheYoungerMeansAwaiting) {
  proc::TcpInfo i = tie(100, 5, 4, 0);
  i.last_data_sent_ms = 40;
  EXPECT_EQ(once(i), Awaiting::kYes);
}

TEST(Awaiting, TheLastReceiptBeingTheYoungerMeansIdle) {
  proc::TcpInfo i = tie(100, 5, 5, 0);
  i.last_data_received_ms = 40;
  EXPECT_EQ(once(i), Awaiting::kNo);
}

TEST(Awaiting, AFirstRequestWithoutAnyReplyIsAwaiting) {
  proc::TcpInfo i = tie(30, 1, 0, 1);
  EXPECT_EQ(once(i), Awaiting::kYes);
}

TEST(Awaiting, AConnectionThatOnlyEverSendsIsNotAwaiting) {
  SocketHistory history;
  for (uint32_t n = 1; n <= 3; ++n) EXPECT_EQ(likely(tie(3, n, 0, n), history), Awaiting::kYes);
  EXPECT_EQ(likely(tie(3, 4, 0, 4), history), Awaiting::kNo);
  EXPECT_EQ(likely(tie(103, 4, 0, 4), history), Awaiting::kNo);
}

TEST(Awaiting, UnacknowledgedDataOnATieWasSentAfterTheReply) {
  proc::TcpInfo i = tie(12, 62, 61, 0);
  i.unacked = 1;
  EXPECT_EQ(once(i), Awaiting::kYes);
}

TEST(Awaiting, ALoneAcknowledgementAfterATieBelongsToARequest) {
  proc::TcpInfo i = tie(76, 19, 18, 10);
  i.last_ack_received_ms = 36;
  EXPECT_EQ(once(i), Awaiting::kYes);
}

// The figures of the next two were captured on a loopback connection, kernel 6.18, 250 Hz.
TEST(Awaiting, APeerThatAcknowledgesRequestsApartIsStillAtWorkOnATie) {
  proc::TcpInfo i = tie(56, 28, 27, 27);  // it answers after 60 ms, and is asked again at once
  EXPECT_EQ(once(i), Awaiting::kYes);
}

TEST(Awaiting, APeerWhoseRepliesCarryTheAcknowledgementHasAnsweredOnATie) {
  EXPECT_EQ(once(tie(36, 28, 28, 0)), Awaiting::kNo);  // it answers at once, asked every 60 ms
}

TEST(Awaiting, AYoungConnectionIsToldByCountingItsSegments) {
  EXPECT_EQ(once(tie(10, 6, 6, 6)), Awaiting::kNo);
  EXPECT_EQ(once(tie(10, 7, 6, 7)), Awaiting::kYes);
  EXPECT_EQ(once(tie(10, 7, 3, 7)), Awaiting::kUndecided);
}

TEST(Awaiting, LooksThatWereSureTeachWhatTheTiesMean) {
  // Three segments more went out than came in before the calls began (a login, say), and the peer
  // acknowledges apart although it answers at once.
  SocketHistory history;
  for (uint32_t n = 50; n < 53; ++n) {
    proc::TcpInfo sure = tie(10, n + 3, n, n);
    sure.last_data_received_ms = 5;
    EXPECT_EQ(likely(sure, history), Awaiting::kNo);
  }
  EXPECT_EQ(likely(tie(10, 64, 61, 61), history), Awaiting::kNo);
  EXPECT_EQ(likely(tie(10, 66, 62, 62), history), Awaiting::kYes);
  EXPECT_EQ(likely(tie(10, 90, 70, 90), history), Awaiting::kYes) << "no such count: acks decide";
}

TEST(Awaiting, GrowthBetweenTwoLooksTellsWhichCameLast) {
  SocketHistory history;
  EXPECT_EQ(likely(tie(10, 40, 20, 20), history), Awaiting::kUndecided);
  EXPECT_EQ(likely(tie(10, 41, 20, 20), history), Awaiting::kYes);
  EXPECT_EQ(likely(tie(10, 41, 21, 20), history), Awaiting::kNo);
}

TEST(Awaiting, APeerThatTurnsSlowIsNoticed) {
  SocketHistory history;
  Awaiting answer = likely(tie(10, 1000, 1000, 0), history);
  EXPECT_EQ(answer, Awaiting::kNo);
  for (uint32_t n = 1; n <= 20; ++n)
    answer = likely(tie(10, 1000 + 2 * n, 999 + 2 * n, 2 * n), history);
  EXPECT_EQ(answer, Awaiting::kYes);
}

TEST(Awaiting, OnlyStampsAndAcknowledgementsProve) {
  SocketHistory history;
  PeerHabits habits;
  const Judgement tied = judge(tie(56, 28, 27, 27), history, habits);
  EXPECT_EQ(tied.proven, Awaiting::kUndecided);
  EXPECT_EQ(tied.likely, Awaiting::kYes);
  proc::TcpInfo sure = tie(100, 28, 27, 27);
  sure.last_data_sent_ms = 40;
  EXPECT_EQ(judge(sure, history, habits).proven, Awaiting::kYes);
}

TEST(Awaiting, AnOldTieIsWhatThePeersOtherSocketsWereSeenToDo) {
  // Replies of many segments: counting them tells nothing, and acknowledgements come half apart.
  const proc::TcpInfo old_tie = tie(60, 40, 500, 20);
  PeerHabits slow_peer, quick_peer;
  for (uint32_t n = 0; n < 3; ++n) {
    SocketHistory other;
    proc::TcpInfo awaiting = tie(100, 40, 500, 20);
    awaiting.last_data_sent_ms = 50;
    (void)judge(awaiting, other, slow_peer);
    proc::TcpInfo idle = tie(100, 40, 500, 20);
    idle.last_data_received_ms = 50;
    (void)judge(idle, other, quick_peer);
  }
  SocketHistory one, two, three;
  PeerHabits stranger;
  EXPECT_EQ(judge(old_tie, one, slow_peer).likely, Awaiting::kYes);
  EXPECT_EQ(judge(old_tie, two, quick_peer).likely, Awaiting::kNo);
  EXPECT_EQ(judge(old_tie, three, stranger).likely, Awaiting::kUndecided);
}

TEST(Awaiting, NothingLearnedMeansUndecided) {
  proc::TcpInfo i = tie(10, 0, 0, 0);  // a kernel that counts bytes but no segments
  i.bytes_sent = 100;
  i.bytes_received = 100;
  EXPECT_EQ(once(i), Awaiting::kUndecided);
}

TEST(Awaiting, WrappedSegmentCountersAreDifferencesStill) {
  SocketHistory history;
  (void)likely(tie(10, UINT32_MAX - 1, UINT32_MAX - 1, 0), history);
  EXPECT_EQ(likely(tie(10, 1, UINT32_MAX - 1, 0), history), Awaiting::kYes);
  EXPECT_LT(history.recent_sent, 1e10);
}

}  // namespace
}  // namespace plumb::host_metrics
