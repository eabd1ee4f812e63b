// Processes that were seen with a lock a moment ago.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_RECENT_PIDS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_RECENT_PIDS_H_

#include <cstddef>
#include <cstdint>
#include <map>

namespace plumb::sqlite_stats {

// Not thread-safe. Never holds more than kMost processes, however many come and go: with each that
// is noted, the old ones are forgotten, and of too many the one not seen for longest.
class RecentPids {
 public:
  static constexpr size_t kMost = 256;
  // A process that held a lock is taken for a user of the database for so long.
  static constexpr int64_t kFor = 5'000'000'000;

  // Pid 0, which stands for a process that plumb's PID namespace does not show, is not kept.
  void note(int64_t now_ns, int32_t pid);
  // By pid: when it was last seen. Call forget_old first.
  const std::map<int32_t, int64_t>& seen() const { return seen_; }
  void forget_old(int64_t now_ns);

 private:
  std::map<int32_t, int64_t> seen_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_RECENT_PIDS_H_
