// One epoll instance with a timerfd for deadlines in nanoseconds and an eventfd to be woken by.
// Interest is cached, so that a mask which does not change costs no system call.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_POLLER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_POLLER_H_

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <plumb/status.hpp>
#include <span>
#include <utility>
#include <vector>

namespace plumb::http_load {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A flag that ends a poller's wait. request() may be called on any thread and in a signal handler.
class StopFlag {
 public:
  StopFlag();
  void request();
  bool requested() const { return requested_.load(std::memory_order_acquire); }
  // -1 when the process had no descriptor left.
  int fd() const { return event_.get(); }

 private:
  Descriptor event_;
  std::atomic<bool> requested_{false};
};

// Not thread-safe.
class Poller {
 public:
  // `stop` outlives the poller.
  static Result<std::unique_ptr<Poller>> open(const StopFlag& stop);

  // A timer wakes a process tens of microseconds late. With this, wait() returns at once within
  // `ns` of its deadline, so that the caller, asking again and again, meets it exactly.
  void spin_for(int64_t ns) { spin_ns_ = ns; }

  // Interest in EPOLLIN and EPOLLOUT of `fd`; 0 ends it. A socket that was adopted stays
  // registered at 0 until something happens on it, since libcurl gives up and takes back its
  // sockets with every request.
  void want(int fd, uint32_t events);
  // A socket of the caller's, new: from here on until forget() its interest is kept lazily.
  void adopt(int fd);
  // The socket is about to be closed.
  void forget(int fd);
  // What is ready, at the latest at `until_ns` of CLOCK_MONOTONIC or when stop is requested; at
  // once when `until_ns` is not after `now_ns`. May return early with nothing.
  std::span<const epoll_event> wait(int64_t now_ns, int64_t until_ns);

 private:
  struct Interest {
    uint32_t wanted = 0;
    uint32_t registered = 0;
    bool adopted = false;
  };
  Poller() = default;
  Interest& of(int fd);
  void update(int fd, Interest& interest, uint32_t events);
  void arm(int64_t until_ns);

  Descriptor epoll_;
  Descriptor timer_;
  int stop_fd_ = -1;
  int64_t armed_ns_ = 0;  // 0: not armed
  int64_t spin_ns_ = 0;
  std::vector<Interest> interests_;  // by descriptor
  std::array<epoll_event, 256> events_{};
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_POLLER_H_
