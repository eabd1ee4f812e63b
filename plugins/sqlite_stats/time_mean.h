// The mean over time of what is looked at now and then.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_TIME_MEAN_H_
#define PLUMB_PLUGINS_SQLITE_STATS_TIME_MEAN_H_

#include <cstdint>
#include <optional>

namespace plumb::sqlite_stats {

// Looks come at uneven distances: more seldom where they cost much, later where the machine is
// busy. So each counts for the time around it, and between two looks the value is taken for the
// mean of both. Not thread-safe.
class TimeMean {
 public:
  // One look; nothing when it found that the value cannot be known.
  void look(int64_t now_ns, std::optional<double> value);
  // Nobody looks from now on: the next look continues nothing.
  void pause();
  // The mean since the last call; nothing when there were no two looks to stand for any time, or
  // when one of them found the value unknown.
  std::optional<double> take();

 private:
  std::optional<int64_t> last_ns_;
  std::optional<double> last_;
  double sum_ = 0;  // value times nanoseconds
  int64_t watched_ns_ = 0;
  bool unknown_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_TIME_MEAN_H_
