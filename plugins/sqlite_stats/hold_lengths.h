// The distribution of how long the write lock is held, from samples and from the count of commits.
//
// A hold found by two samples or more is recorded as it was seen, exact to about the distance of
// two samples. Shorter ones are mostly not seen at all; but how much time they took together is
// known (the share of samples that found the lock held, less the long ones), and so is their number
// (commits, less those of the long ones). They are recorded as so many holds of their mean length.
// So sum and count are right, and the distribution is flat below the sampling interval.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_HOLD_LENGTHS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_HOLD_LENGTHS_H_

#include <cstdint>
#include <optional>
#include <plumb/histogram.hpp>

#include "hold.h"

namespace plumb::sqlite_stats {

struct HoldRecord {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  Histogram lengths;  // nanoseconds
};

// Not thread-safe.
class HoldLengths {
 public:
  // One sample: for how long of the time since the sample before the lock was held, by the mean of
  // the two; what ended; and how many transactions were committed in between.
  void sample(int64_t now_ns, int64_t since_ns, int64_t held_ns,
              const std::optional<EndedHold>& ended, uint64_t commits);
  // What happened since the last record, once enough short holds were seen for their mean to mean
  // something, or for as long as they are worth waiting for; at once with `all`. Nothing when
  // nothing was held. `open` is the hold that still goes on, if any: it is recorded when it ends.
  std::optional<HoldRecord> take(int64_t now_ns, const Hold* open, bool all);

 private:
  Histogram lengths_;
  std::optional<int64_t> start_ns_;
  int64_t sampled_ns_ = 0;
  int64_t samples_ = 0;
  int64_t held_ns_ = 0;
  int64_t long_ns_ = 0;
  int64_t commits_ = 0;
  int64_t long_commits_ = 0;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_HOLD_LENGTHS_H_
