#include "hold.h"

#include <algorithm>
#include <utility>

namespace plumb::sqlite_stats {
namespace {

// Short-lived writer processes could be without number.
constexpr size_t kMostHolders = 1000;

}  // namespace

const Hold* HoldTracker::sample(int64_t now_ns, WriteLock lock, int32_t pid,
                                std::optional<uint32_t> commit_mark, int64_t long_ns) {
  const int64_t before_ns = last_sample_ns_.value_or(now_ns);
  const int64_t since_ns = now_ns - before_ns;
  last_sample_ns_ = now_ns;
  watched_ns_ += since_ns;
  ended_.reset();
  if (current_ && !continues(lock, pid, commit_mark)) end(now_ns, commit_mark);
  if (lock == WriteLock::kNone) return nullptr;
  if (!current_) current_ = Hold{pid, lock, before_ns, now_ns, now_ns, commit_mark, false};
  if (!current_->commit_mark) current_->commit_mark = commit_mark;
  current_->lock = lock;
  current_->last_ns = now_ns;
  held_ns_ += since_ns;

  const Key key{pid, lock};
  if (holders_.size() < kMostHolders || holders_.contains(key)) {
    Holder& holder = holders_[key];
    holder.held_ns += since_ns;
    holder.longest_ns = std::max(holder.longest_ns, current_->length_ns());
  }
  if (current_->told || current_->length_ns() < long_ns) return nullptr;
  current_->told = true;
  return &*current_;
}

bool HoldTracker::continues(WriteLock lock, int32_t pid,
                            std::optional<uint32_t> commit_mark) const {
  if (lock == WriteLock::kNone || pid != current_->pid) return false;
  // A rollback-journal writer climbs from reserved to exclusive within one transaction, and never
  // down.
  if (lock < current_->lock) return false;
  if (!commit_mark || !current_->commit_mark || *commit_mark == *current_->commit_mark) return true;
  return lock == WriteLock::kExclusive && *commit_mark - *current_->commit_mark == 1;
}

void HoldTracker::end(int64_t now_ns, std::optional<uint32_t> commit_mark) {
  const Hold hold = *std::exchange(current_, std::nullopt);
  if (hold.last_ns == hold.start_ns) return;
  const bool committed = commit_mark && hold.commit_mark && *commit_mark != *hold.commit_mark;
  ended_ = EndedHold{
      hold.length_ns() + (hold.start_ns - hold.before_ns) / 2 + (now_ns - hold.last_ns) / 2,
      committed};
}

void HoldTracker::pause() {
  last_sample_ns_.reset();
  current_.reset();
  ended_.reset();
}

bool HoldTracker::is_new(int32_t pid, WriteLock lock) const {
  const auto holder = holders_.find({pid, lock});
  return holder != holders_.end() && holder->second.command.empty();
}

void HoldTracker::name_holder(int32_t pid, WriteLock lock, std::string command) {
  holders_[{pid, lock}].command = std::move(command);
}

}  // namespace plumb::sqlite_stats
