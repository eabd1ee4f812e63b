// What one run has told its listeners, as server-sent events: a bounded buffer that any number of
// readers follow at their own pace, each with nothing but the number of the last event it has.
#ifndef PLUMB_CORE_SERVE_EVENT_LOG_H_
#define PLUMB_CORE_SERVE_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/mutex.h"

namespace plumb::serve {

// Safe to use from several threads.
class EventLog {
 public:
  // Numbers begin at `first`. Of more than `capacity` events the oldest are forgotten.
  explicit EventLog(size_t capacity = 1024, uint64_t first = 1)
      : capacity_(capacity), next_(first), oldest_(first) {}
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // `data` is one line (JSON without line feeds). Nothing happens once the log has ended.
  void append(std::string_view event, std::string_view data);
  // No event follows; readers end when they have them all.
  void end();

  struct Batch {
    std::string text;    // in the format of text/event-stream; empty: nothing new
    uint64_t last = 0;   // number of the last event in it, or what was asked for
    uint64_t lost = 0;   // events after the one asked for that are forgotten
    bool ended = false;  // nothing will follow what is in `text`
  };
  // The events after number `after`, as many as fit in about `most_bytes`, at least one.
  Batch after(uint64_t after, size_t most_bytes = 64 * 1024) const;

  // Whether it has ended and `after` is its last event, or later.
  bool exhausted(uint64_t after) const;

  // `something_new` is called after each append and at the end, on the thread that does it and
  // under the log's lock: it must neither block nor call the log. Returns a handle for unlisten,
  // after which no call is made or under way.
  uint64_t listen(std::function<void()> something_new);
  void unlisten(uint64_t handle);

 private:
  void notify() PLUMB_REQUIRES(mutex_);

  const size_t capacity_;
  mutable Mutex mutex_;
  uint64_t next_ PLUMB_GUARDED_BY(mutex_);
  uint64_t oldest_ PLUMB_GUARDED_BY(mutex_);  // number of texts_.front()
  bool ended_ PLUMB_GUARDED_BY(mutex_) = false;
  std::deque<std::string> texts_ PLUMB_GUARDED_BY(mutex_);
  uint64_t next_handle_ PLUMB_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::function<void()>> listeners_ PLUMB_GUARDED_BY(mutex_);
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_EVENT_LOG_H_
