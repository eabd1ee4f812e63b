// A counter's total that never falls, whatever the server's own counter does.
#ifndef PLUMB_PLUGINS_PG_STATS_RUNNING_TOTAL_H_
#define PLUMB_PLUGINS_PG_STATS_RUNNING_TOTAL_H_

#include <algorithm>

namespace plumb::pg_stats {

// When the server's counter goes backwards (statistics were reset), counting goes on from the total
// so far. Not thread-safe.
class RunningTotal {
 public:
  // `raw` is the server's counter; `own` is what the sampler itself has put into it so far, which
  // may reach the counter a little late. Returns the total to emit, without the sampler's part.
  double update(double raw, double own = 0) {
    if (restarted_) {
      base_ = total_ - raw + own;
      restarted_ = false;
    } else if (raw < raw_) {
      base_ += raw_;
    }
    raw_ = raw;
    total_ = std::max(total_, base_ + raw_ - own);
    return total_;
  }
  // The next value is another server's, or of statistics begun anew while nobody looked: the total
  // stands still there, and grows with what follows.
  void restart() { restarted_ = true; }

 private:
  double raw_ = 0;
  double base_ = 0;
  double total_ = 0;
  bool restarted_ = false;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_RUNNING_TOTAL_H_
