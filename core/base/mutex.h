// A mutex that clang's thread-safety analysis understands; `./dev check` runs that analysis.
#ifndef PLUMB_CORE_BASE_MUTEX_H_
#define PLUMB_CORE_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PLUMB_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define PLUMB_THREAD_ANNOTATION(x)
#endif
#define PLUMB_GUARDED_BY(m) PLUMB_THREAD_ANNOTATION(guarded_by(m))
#define PLUMB_REQUIRES(m) PLUMB_THREAD_ANNOTATION(requires_capability(m))
#define PLUMB_EXCLUDES(m) PLUMB_THREAD_ANNOTATION(locks_excluded(m))

namespace plumb {

class PLUMB_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() PLUMB_THREAD_ANNOTATION(acquire_capability()) { m_.lock(); }
  void unlock() PLUMB_THREAD_ANNOTATION(release_capability()) { m_.unlock(); }

 private:
  friend class CondVar;
  std::mutex m_;
};

class PLUMB_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& m) PLUMB_THREAD_ANNOTATION(acquire_capability(m)) : m_(m) { m_.lock(); }
  ~MutexLock() PLUMB_THREAD_ANNOTATION(release_capability()) { m_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& m_;
};

// Waits on a Mutex that the caller holds. Callers loop on their condition.
class CondVar {
 public:
  void notify_all() { cv_.notify_all(); }
  void wait(Mutex& m) PLUMB_REQUIRES(m) {
    std::unique_lock<std::mutex> lock(m.m_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when `until` passed without a notification.
  bool wait_until(Mutex& m, std::chrono::steady_clock::time_point until) PLUMB_REQUIRES(m) {
    std::unique_lock<std::mutex> lock(m.m_, std::adopt_lock);
    const bool notified = cv_.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }

 private:
  std::condition_variable cv_;
};

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_MUTEX_H_
