// When things happened to one request, and the phases that follow from it. All times are
// nanoseconds of the monotonic clock; 0 means that the milestone was not reached or took no time.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TIMELINE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TIMELINE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace plumb::http_load {

enum Phase { kLag, kQueue, kDns, kConnect, kTls, kSend, kWait, kTransfer, kPhases };

constexpr std::array<std::string_view, kPhases> kPhaseNames = {"lag", "queue", "dns",  "connect",
                                                               "tls", "send",  "wait", "transfer"};

struct Timeline {
  int64_t intended_ns = 0;  // when the schedule wanted it
  int64_t taken_ns = 0;     // when the generator took it up
  int64_t begun_ns = 0;     // when a connection was free for it
  int64_t resolved_ns = 0;  // the end of each step of a new connection
  int64_t connected_ns = 0;
  int64_t secured_ns = 0;
  int64_t sent_ns = 0;  // the last byte of the request was handed to the kernel
  int64_t first_byte_ns = 0;
  int64_t finished_ns = 0;  // always set
  bool was_sent = false;    // a connection was there and sending began

  // Durations that are never negative and sum to response_ns() exactly: each milestone is held
  // between the one before it and the end.
  std::array<int64_t, kPhases> phases() const {
    const std::array<int64_t, kPhases> ends = {taken_ns,   begun_ns, resolved_ns,   connected_ns,
                                               secured_ns, sent_ns,  first_byte_ns, finished_ns};
    std::array<int64_t, kPhases> out{};
    int64_t before = std::min(intended_ns, finished_ns);
    for (size_t i = 0; i < kPhases; ++i) {
      const int64_t end = std::clamp(ends[i], before, finished_ns);
      out[i] = end - before;
      before = end;
    }
    out[kTransfer] += finished_ns - before;
    return out;
  }
  // Intended start to last byte: what a user would have waited.
  int64_t response_ns() const { return std::max<int64_t>(0, finished_ns - intended_ns); }
  // From when a connection was ready to the last byte: send, wait and transfer.
  int64_t service_ns() const {
    const auto p = phases();
    return p[kSend] + p[kWait] + p[kTransfer];
  }
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TIMELINE_H_
