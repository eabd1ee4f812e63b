// Guards between what the kernel says and what is emitted: a counter never falls, whatever is read.
#ifndef PLUMB_PLUGINS_HOST_METRICS_MONOTONIC_H_
#define PLUMB_PLUGINS_HOST_METRICS_MONOTONIC_H_

#include <cmath>
#include <cstdint>
#include <optional>

namespace plumb::host_metrics {

// Turns raw readings of a counter into a total that never falls. A reading below the one before is
// skipped (a torn read; iowait, which the kernel lets slip back). When three in a row are below,
// what is counted has started anew, and its growth is added from there.
class MonotonicTotal {
 public:
  // The total, or nothing when this reading must be skipped.
  std::optional<double> add(double raw) {
    if (!std::isfinite(raw) || raw < 0) return std::nullopt;
    if (!started_) {
      started_ = true;
      last_ = raw;
      return raw;
    }
    if (raw < last_) {
      if (++lower_ < kAccepted) return std::nullopt;
      base_ += last_ - raw;
    }
    lower_ = 0;
    last_ = raw;
    return base_ + raw;
  }

 private:
  static constexpr int kAccepted = 3;
  bool started_ = false;
  double last_ = 0;
  double base_ = 0;  // what earlier lives of the counter came to, less its present start
  int lower_ = 0;
};

// Growth of something that processes hand to their parent when they end: processor time, storage
// bytes. Seen from outside, a parent's growth holds what its children had already been counted
// for; only the rest of it is new.
class ReapedBalance {
 public:
  void grew(uint64_t by) { credit_ += by; }
  // A process whose parent is watched has ended; `last` is all that it had, as last read.
  void ended(uint64_t last) { debt_now_ += last; }
  // Once per reading, after all of the above: the growth that nobody was counted for yet.
  uint64_t settle() {
    // The parent may reap after it was read: a debt waits one more reading, then is written off,
    // for a parent that ignores its children never pays.
    const uint64_t debt = debt_now_ + debt_before_;
    const uint64_t gain = credit_ > debt ? credit_ - debt : 0;
    const uint64_t paid = credit_ - gain;
    const uint64_t old_left = paid < debt_before_ ? debt_before_ - paid : 0;
    const uint64_t left = debt - paid;
    debt_before_ = left - old_left;
    debt_now_ = 0;
    credit_ = 0;
    return gain;
  }
  // What ended children had and the parent has not been seen to take over. Should it end too, its
  // own parent takes over both.
  uint64_t owed() const { return debt_now_ + debt_before_; }

 private:
  uint64_t credit_ = 0;
  uint64_t debt_now_ = 0;
  uint64_t debt_before_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_MONOTONIC_H_
