#include "plugins/host_metrics/awaiting.h"

#include <algorithm>

namespace plumb::host_metrics {

namespace {

// Sends seen without any receipt after which a connection counts as one-way (log shipping).
constexpr int kOneWayAfter = 3;
constexpr double kFade = 0.8;  // of what is recent, per sample that brings something new
// Bare acknowledgements per segment sent: at least kApart, the peer acknowledges requests apart
// from its replies; at most kTogether, its replies carry the acknowledgement.
constexpr double kApart = 0.7;
constexpr double kTogether = 0.3;

constexpr double kMostOfThePast = 10;  // segments that the life before the first look may weigh
constexpr uint32_t kOfHandshake = 2;   // segments without data that came before the first request

constexpr uint32_t kLongMs =
    12;  // longer than two stamps that tie can be apart, at 250 and 1,000 Hz
constexpr double kHabitFade = 0.98;
constexpr double kHabitTold = 2.5;  // looks that make a habit, faded

constexpr uint32_t kYoung = 20;  // segments sent, while a peer acknowledges each at once
constexpr int kAgreed = 2;

struct Growth {
  bool sent = false;
  bool received = false;
};

Growth learn(const proc::TcpInfo& now, SocketHistory& h) {
  const uint32_t bare_acks = now.segments_in - now.data_segments_in;
  Growth growth;
  if (h.seen) {
    growth.sent = now.data_segments_out != h.data_out;
    growth.received = now.data_segments_in != h.data_in;
  }
  // Differences of counters that wrap; before the first look, the life of the connection so far.
  const uint32_t sent = now.data_segments_out - h.data_out;
  uint32_t acked = bare_acks - h.bare_acks_in;
  if (!h.seen) acked -= std::min(acked, kOfHandshake);
  if (sent > 0) {
    // A long life must not outweigh what comes now.
    const double weight = h.seen ? 1.0 : std::min(1.0, kMostOfThePast / sent);
    h.recent_sent = h.recent_sent * kFade + weight * sent;
    h.recent_bare_acks = h.recent_bare_acks * kFade + weight * acked;
    h.bare_acks_in = bare_acks;
  }
  h.seen = true;
  h.data_out = now.data_segments_out;
  h.data_in = now.data_segments_in;
  return growth;
}

int32_t surplus(const proc::TcpInfo& now) {
  return static_cast<int32_t>(now.data_segments_out - now.data_segments_in);
}

// What the stamps and acknowledgements prove; kUndecided when they prove nothing.
Awaiting prove(const proc::TcpInfo& now, const Growth& growth) {
  if (now.last_data_sent_ms < now.last_data_received_ms) return Awaiting::kYes;
  if (now.last_data_sent_ms > now.last_data_received_ms) return Awaiting::kNo;
  // A reply acknowledges the request it answers: what is unacknowledged was sent after it.
  if (now.unacked > 0) return Awaiting::kYes;
  // An acknowledgement that came after the last data answers a send, for nobody acknowledges an
  // acknowledgement; had a reply followed that send, it would have carried it.
  if (now.last_ack_received_ms < now.last_data_received_ms) return Awaiting::kYes;
  // Between two samples only one of the two happened, which makes it the last.
  if (growth.sent && !growth.received) return Awaiting::kYes;
  if (growth.received && !growth.sent) return Awaiting::kNo;
  return Awaiting::kUndecided;
}

void remember(const proc::TcpInfo& now, Awaiting proven, SocketHistory& h, PeerHabits& habits) {
  const bool waits = proven == Awaiting::kYes;
  if ((waits ? now.last_data_sent_ms : now.last_data_received_ms) >= kLongMs) {
    habits.long_waits = habits.long_waits * kHabitFade + (waits ? 1 : 0);
    habits.long_pauses = habits.long_pauses * kHabitFade + (waits ? 0 : 1);
  }
  const int32_t idle = surplus(now) - (proven == Awaiting::kYes ? 1 : 0);
  h.surplus_agreed = idle == h.idle_surplus ? std::min(h.surplus_agreed + 1, kAgreed) : 0;
  h.idle_surplus = idle;
}

// What is likely, where nothing is proven: all that was sent is acknowledged.
Awaiting guess(const proc::TcpInfo& now, const SocketHistory& h, const PeerHabits& habits) {
  // Counting segments tells, where one look after another has found the same surplus. A young
  // connection is taken to have it: its peer acknowledges everything at once, which tells nothing.
  const bool young = now.data_segments_out > 0 && now.data_segments_out < kYoung;
  if (h.surplus_agreed >= kAgreed || young) {
    const int32_t more = surplus(now) - (h.surplus_agreed > 0 ? h.idle_surplus : 0);
    if (more == 0) return Awaiting::kNo;
    if (more == 1) return Awaiting::kYes;
    if (young) return Awaiting::kUndecided;
  }
  // A tie that is old is either a quick reply and a long pause since, or a request sent at once
  // after a reply and a long wait since: where only one of the two was ever seen, it is that one.
  const double told = habits.long_waits + habits.long_pauses;
  if (now.last_data_sent_ms >= kLongMs && told >= kHabitTold) {
    if (habits.long_waits >= 0.9 * told) return Awaiting::kYes;
    if (habits.long_pauses >= 0.9 * told) return Awaiting::kNo;
  }
  // Acknowledged by a reply, if this peer's replies use to carry the acknowledgement; ahead of a
  // reply still to come, if it acknowledges requests apart, as a peer does that answers slowly.
  const double apart = h.recent_bare_acks / h.recent_sent;
  if (apart >= kApart) return Awaiting::kYes;
  if (apart <= kTogether) return Awaiting::kNo;
  return Awaiting::kUndecided;
}

}  // namespace

Judgement judge(const proc::TcpInfo& now, SocketHistory& history, PeerHabits& habits) {
  const Growth growth = learn(now, history);
  if (now.data_segments_out == 0 && now.bytes_sent == 0) return {Awaiting::kNo, Awaiting::kNo};
  if (now.data_segments_in == 0 && now.bytes_received == 0) {
    if (growth.sent && history.sends_unanswered < kOneWayAfter) ++history.sends_unanswered;
    const bool one_way = history.sends_unanswered >= kOneWayAfter;
    const Awaiting answer = one_way ? Awaiting::kNo : Awaiting::kYes;
    return {answer, answer};
  }
  const Awaiting proven = prove(now, growth);
  if (proven == Awaiting::kUndecided) return {proven, guess(now, history, habits)};
  remember(now, proven, history, habits);
  return {proven, proven};
}

}  // namespace plumb::host_metrics
