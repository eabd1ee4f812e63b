// The schedule of a sampler: one tick an interval, whatever a collect takes, but for ticks that it
// wants to rest through. Intervals may wobble: what happens at an even rate, as a load's requests
// do, would else be seen in the same state by every sample of a run. Not thread-safe. Takes the
// time from the caller.
#ifndef PLUMB_CORE_HOST_TICKER_H_
#define PLUMB_CORE_HOST_TICKER_H_

#include <cstdint>
#include <random>

namespace plumb::host {

class Ticker {
 public:
  // Each interval is longer or shorter by up to `wobble` of itself, evenly and by `seed`.
  Ticker(int64_t first_ns, int64_t interval_ns, double wobble = 0, uint64_t seed = 1)
      : next_ns_(first_ns), interval_ns_(interval_ns), wobble_(-wobble, wobble), random_(seed) {}

  int64_t next_ns() const { return next_ns_; }

  // From the tick after the next on.
  void set_interval(int64_t interval_ns) { interval_ns_ = interval_ns; }

  // The tick due has been served and it is now `now_ns`: moves on to the first tick not before
  // that, and gives back how many were passed over on the way.
  uint64_t served(int64_t now_ns) {
    next_ns_ +=
        interval_ns_ + static_cast<int64_t>(wobble_(random_) * static_cast<double>(interval_ns_));
    if (next_ns_ >= now_ns) return 0;
    const int64_t missed = (now_ns - next_ns_ + interval_ns_ - 1) / interval_ns_;
    next_ns_ += missed * interval_ns_;
    return static_cast<uint64_t>(missed);
  }

  // Moves on to the first tick not before `until_ns`.
  void rest_until(int64_t until_ns) {
    if (until_ns <= next_ns_) return;
    next_ns_ += (until_ns - next_ns_ + interval_ns_ - 1) / interval_ns_ * interval_ns_;
  }

  // Ends a rest: back to the first tick not before `now_ns`.
  void end_rest(int64_t now_ns) {
    if (next_ns_ > now_ns) next_ns_ -= (next_ns_ - now_ns) / interval_ns_ * interval_ns_;
  }

 private:
  int64_t next_ns_;
  int64_t interval_ns_;
  std::uniform_real_distribution<double> wobble_;
  std::mt19937_64 random_;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_TICKER_H_
