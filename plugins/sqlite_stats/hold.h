// How long the write lock is held, and by whom, from samples of it.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_HOLD_H_
#define PLUMB_PLUGINS_SQLITE_STATS_HOLD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "locks.h"

namespace plumb::sqlite_stats {

// What was seen of one process (and one kind of lock) over the whole watch.
struct Holder {
  std::string command;
  int64_t held_ns = 0;
  int64_t longest_ns = 0;
};

// A stretch of samples in which one process held one transaction's lock.
struct Hold {
  int32_t pid = 0;
  WriteLock lock = WriteLock::kNone;
  int64_t before_ns = 0;  // the last sample before it
  int64_t start_ns = 0;   // the first sample that found it
  int64_t last_ns = 0;    // the last one
  std::optional<uint32_t> commit_mark;
  bool told = false;

  int64_t length_ns() const { return last_ns - start_ns; }
};

// A hold that was found by more than one sample, and is over.
struct EndedHold {
  // It began between two samples and ended between two: half of each gap is taken for its part.
  int64_t length_ns = 0;
  bool committed = false;
};

// Not thread-safe.
class HoldTracker {
 public:
  using Key = std::pair<int32_t, WriteLock>;

  // One sample, standing for the time since the one before. `commit_mark` tells transactions of one
  // process apart: the lock changes hands far faster than it is sampled, so two samples with the
  // same holder are one hold only when nothing was committed between them. (With a rollback journal
  // the mark moves before the lock is freed, so one move while it is exclusive is the hold's own.)
  // Returns the hold when it has just passed `long_ns`, once per hold.
  const Hold* sample(int64_t now_ns, WriteLock lock, int32_t pid,
                     std::optional<uint32_t> commit_mark, int64_t long_ns);
  // The hold that the last sample found ended, if it was found by more than one sample before.
  const std::optional<EndedHold>& ended() const { return ended_; }

  // True for a holder that has no command yet; `name_holder` gives it one.
  bool is_new(int32_t pid, WriteLock lock) const;
  void name_holder(int32_t pid, WriteLock lock, std::string command);

  // The hold going on at the last sample; null when the lock was free.
  const Hold* current() const { return current_ ? &*current_ : nullptr; }
  int64_t watched_ns() const { return watched_ns_; }
  int64_t held_ns() const { return held_ns_; }
  const std::map<Key, Holder>& holders() const { return holders_; }
  // A stretch that nobody watched has passed: what comes next continues nothing.
  void pause();

 private:
  bool continues(WriteLock lock, int32_t pid, std::optional<uint32_t> commit_mark) const;
  void end(int64_t now_ns, std::optional<uint32_t> commit_mark);

  std::optional<int64_t> last_sample_ns_;
  int64_t watched_ns_ = 0;
  int64_t held_ns_ = 0;
  std::map<Key, Holder> holders_;
  std::optional<Hold> current_;
  std::optional<EndedHold> ended_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_HOLD_H_
