// Paces a costly reading by what it cost: it takes at most a given part of the time.
#ifndef PLUMB_PLUGINS_HOST_METRICS_PACE_H_
#define PLUMB_PLUGINS_HOST_METRICS_PACE_H_

#include <algorithm>
#include <cstdint>

namespace plumb::host_metrics {

class Pace {
 public:
  // At most one `part`-th of the time, and never sooner than after `least_ns`.
  constexpr Pace(int64_t part, int64_t least_ns) : part_(part), least_ns_(least_ns) {}

  bool due(int64_t now_ns) const { return now_ns >= next_ns_; }
  void took(int64_t begin_ns, int64_t end_ns) {
    next_ns_ = begin_ns + std::max(least_ns_, (end_ns - begin_ns) * part_);
  }
  void now() { next_ns_ = INT64_MIN; }  // due whatever it cost

 private:
  int64_t part_;
  int64_t least_ns_;
  int64_t next_ns_ = INT64_MIN;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_PACE_H_
