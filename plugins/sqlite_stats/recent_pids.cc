#include "recent_pids.h"

#include <algorithm>

namespace plumb::sqlite_stats {

void RecentPids::note(int64_t now_ns, int32_t pid) {
  if (pid <= 0) return;
  seen_[pid] = now_ns;
  forget_old(now_ns);
  if (seen_.size() <= kMost) return;
  seen_.erase(std::min_element(seen_.begin(), seen_.end(),
                               [](const auto& a, const auto& b) { return a.second < b.second; }));
}

void RecentPids::forget_old(int64_t now_ns) {
  std::erase_if(seen_, [now_ns](const auto& seen) { return now_ns - seen.second > kFor; });
}

}  // namespace plumb::sqlite_stats
