// Frames on their way to the engine.
#ifndef PLUMB_CORE_HOST_OUTBOX_H_
#define PLUMB_CORE_HOST_OUTBOX_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"

namespace plumb::host {

class Outbox {
 public:
  // Bytes that may wait for an engine that does not read; a signal beyond it is refused.
  static constexpr size_t kMostWaiting = size_t{16} << 20;

  // `socket` must outlive this.
  explicit Outbox(int socket);

  // [any thread] A signal: false when it does not fit. What the socket takes is written at once, so
  // that a plugin's last signal before it crashes is not lost; the rest waits. Never blocks.
  [[nodiscard]] bool put_signal(std::string_view frame) PLUMB_EXCLUDES(mutex_);
  // [any thread] An answer or a heartbeat: there are few of them, and they always fit.
  void put_control(std::string_view frame) PLUMB_EXCLUDES(mutex_);

  // Becomes readable when wake() was called, or when something has begun to wait.
  int wake_fd() const { return wake_.get(); }
  void wake();
  void clear_wake();

  // Writes what waits and the socket takes now.
  void flush() PLUMB_EXCLUDES(mutex_);
  // Nothing waits, or the other side is gone and nothing can ever be written.
  bool empty() PLUMB_EXCLUDES(mutex_);

 private:
  void append(std::string_view frame) PLUMB_REQUIRES(mutex_);
  void write() PLUMB_REQUIRES(mutex_);
  size_t waiting() const PLUMB_REQUIRES(mutex_) { return waiting_.size() - written_; }

  int socket_;
  UniqueFd wake_;
  Mutex mutex_;
  std::string waiting_ PLUMB_GUARDED_BY(mutex_);
  size_t written_ PLUMB_GUARDED_BY(mutex_) = 0;  // of waiting_
  bool broken_ PLUMB_GUARDED_BY(mutex_) = false;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_OUTBOX_H_
