// Does a connection await its peer's reply? Told from outside, from what the kernel keeps per
// socket. The kernel stamps sends and receipts in jiffies (4 ms at 250 Hz), so on a connection that
// is reused back to back the two stamps tie: a reply and the next request fell into one jiffy, or a
// request and its quick reply did. The acknowledgements tell which.
#ifndef PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_
#define PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_

#include <cstdint>

#include "plugins/proc/sock_diag.h"

namespace plumb::host_metrics {

enum class Awaiting { kNo, kYes, kUndecided };

struct Judgement {
  Awaiting proven = Awaiting::kNo;  // kUndecided: the stamps tie and nothing breaks the tie
  Awaiting likely =
      Awaiting::kNo;  // as proven, else what habit suggests; kUndecided: half a chance
};

// What earlier samples of the same socket have taught.
struct SocketHistory {
  bool seen = false;
  uint32_t data_out = 0;
  uint32_t data_in = 0;
  uint32_t bare_acks_in = 0;
  int sends_unanswered = 0;     // samples in which it had sent more, while it never received
  double recent_sent = 0;       // segments of data sent lately, older ones fading
  double recent_bare_acks = 0;  // acknowledgements without data received lately, likewise
  // Segments of data sent less those received while idle, and how often in a row looks that were
  // sure have agreed on it: they do when requests and replies are a segment each.
  int32_t idle_surplus = 0;
  int surplus_agreed = 0;
};

// What all sockets to one peer have shown: a peer that lets its callers wait for longer than a few
// ticks of the clock, or callers that pause for longer than that. Older looks fade.
struct PeerHabits {
  double long_waits = 0;
  double long_pauses = 0;
};

// Pure but for `history`, which belongs to this socket alone, and `habits`, its peer's.
Judgement judge(const proc::TcpInfo& now, SocketHistory& history, PeerHabits& habits);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_
