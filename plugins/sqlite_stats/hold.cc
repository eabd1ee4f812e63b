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
  const int64_t since_ns = last_sample_ns_ ? now_ns - *last_sample_ns_ : 0;
  last_sample_ns_ = now_ns;
  watched_ns_ += since_ns;
  if (lock == WriteLock::kNone) {
    current_.reset();
    return nullptr;
  }
  // A rollback-journal writer climbs from reserved to exclusive within one transaction.
  const bool same =
      current_ && current_->pid == pid &&
      (!commit_mark || !current_->commit_mark || commit_mark == current_->commit_mark);
  if (!same) current_ = Hold{pid, lock, now_ns, now_ns, commit_mark, false};
  if (!current_->commit_mark) current_->commit_mark = commit_mark;
  current_->lock = lock;
  current_->last_ns = now_ns;

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

bool HoldTracker::is_new(int32_t pid, WriteLock lock) const {
  const auto holder = holders_.find({pid, lock});
  return holder != holders_.end() && holder->second.command.empty();
}

void HoldTracker::name_holder(int32_t pid, WriteLock lock, std::string command) {
  holders_[{pid, lock}].command = std::move(command);
}

}  // namespace plumb::sqlite_stats
