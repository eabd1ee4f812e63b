// Paces a costly reading by what it cost: it takes at most a given part of one processor.
#ifndef PLUMB_PLUGINS_HOST_METRICS_PACE_H_
#define PLUMB_PLUGINS_HOST_METRICS_PACE_H_

#include <time.h>

#include <algorithm>
#include <cstdint>

namespace plumb::host_metrics {

class Pace {
 public:
  // At most one `part`-th of a processor, never sooner than after `least_ns`, and never later than
  // after 30 s, or what is watched would go dark.
  constexpr Pace(int64_t part, int64_t least_ns) : part_(part), least_ns_(least_ns) {}

  bool due(int64_t now_ns) const { return now_ns >= next_ns_; }
  void hurry() { next_ns_ = INT64_MIN; }  // due at once, whatever it cost

  // Lives while the reading goes on. What counts is the processor time of this thread: on a crowded
  // machine the time that passes would say that the reading is dear.
  class Turn {
   public:
    Turn(Pace& pace, int64_t now_ns) : pace_(pace), now_ns_(now_ns), begin_ns_(used_ns()) {}
    ~Turn() {
      const int64_t wait = (used_ns() - begin_ns_) * pace_.part_;
      pace_.next_ns_ = now_ns_ + std::clamp(wait, pace_.least_ns_, kMostNs);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    static int64_t used_ns() {
      timespec t{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
      return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
    }
    Pace& pace_;
    int64_t now_ns_;
    int64_t begin_ns_;
  };

 private:
  static constexpr int64_t kMostNs = 30'000'000'000;
  int64_t part_;
  int64_t least_ns_;
  int64_t next_ns_ = INT64_MIN;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_PACE_H_
