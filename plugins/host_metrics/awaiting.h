// Does a connection await its peer's reply? Told from outside, from what the kernel keeps per
// socket. The kernel stamps sends and receipts in jiffies (4 ms at 250 Hz), so on a connection that
// is reused back to back the two stamps tie: a reply and the next request fell into one jiffy, or a
// request and its quick reply did. The acknowledgements tell which.
#ifndef PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_
#define PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_

#include <cstdint>

#include "plugins/proc/sock_diag.h"

namespace plumb::host_metrics {

enum class Awaiting {
  kNo,
  kYes,
  kUndecided,  // the stamps tie and the acknowledgements do not tell: half a chance, and reported
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

// Pure but for `history`, which belongs to this socket alone.
Awaiting judge(const proc::TcpInfo& now, SocketHistory& history);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_AWAITING_H_
