#include "core/serve/event_log.h"

#include <algorithm>
#include <utility>

namespace plumb::serve {

void EventLog::append(std::string_view event, std::string_view data) {
  MutexLock lock(mutex_);
  if (ended_) return;
  std::string text = "id: " + std::to_string(next_) + "\nevent: ";
  text.append(event).append("\ndata: ").append(data).append("\n\n");
  texts_.push_back(std::move(text));
  ++next_;
  if (texts_.size() > capacity_) {
    texts_.pop_front();
    ++oldest_;
  }
  notify();
}

void EventLog::end() {
  MutexLock lock(mutex_);
  ended_ = true;
  notify();
}

EventLog::Batch EventLog::after(uint64_t after, size_t most_bytes) const {
  MutexLock lock(mutex_);
  Batch batch;
  // Somebody who claims to have what was never sent has everything.
  uint64_t number = std::min(after, next_ - 1) + 1;
  if (number < oldest_) {
    batch.lost = oldest_ - number;
    number = oldest_;
  }
  while (number < next_ && batch.text.size() < most_bytes) {
    batch.text += texts_[static_cast<size_t>(number - oldest_)];
    ++number;
  }
  batch.last = number - 1;
  batch.ended = ended_ && number == next_;
  return batch;
}

bool EventLog::exhausted(uint64_t after) const {
  MutexLock lock(mutex_);
  return ended_ && after >= next_ - 1;
}

uint64_t EventLog::listen(std::function<void()> something_new) {
  MutexLock lock(mutex_);
  listeners_.emplace(next_handle_, std::move(something_new));
  return next_handle_++;
}

void EventLog::unlisten(uint64_t handle) {
  MutexLock lock(mutex_);
  listeners_.erase(handle);
}

void EventLog::notify() {
  for (const auto& [handle, listener] : listeners_) listener();
}

}  // namespace plumb::serve
