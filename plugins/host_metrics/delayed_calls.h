// A server that answers every byte after a known delay, and a caller that keeps a known number of
// calls going and measures how long they took: the truth that a watch of sockets is held against.
// Each runs in a process of its own, one thread, and counts in memory shared with the test.
#ifndef PLUMB_PLUGINS_HOST_METRICS_DELAYED_CALLS_H_
#define PLUMB_PLUGINS_HOST_METRICS_DELAYED_CALLS_H_

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace plumb::host_metrics {

inline int64_t call_clock_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// Things to do at their times, and sockets to do things with: one loop, forever.
class DelayLoop {
 public:
  using Handler = std::function<void(int fd)>;
  DelayLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  void watch(int fd, const Handler* handler) {
    handlers_[fd] = handler;
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }
  void close(int fd) {
    handlers_.erase(fd);
    ::close(fd);
  }
  void at(int64_t time_ns, std::function<void()> what) { due_.emplace(time_ns, std::move(what)); }
  [[noreturn]] void run() {
    while (true) {
      const int64_t now = call_clock_ns();
      while (!due_.empty() && due_.begin()->first <= now) {
        const auto what = std::move(due_.begin()->second);
        due_.erase(due_.begin());
        what();
      }
      int64_t wait = 100'000'000;
      if (!due_.empty()) wait = std::clamp<int64_t>(due_.begin()->first - call_clock_ns(), 0, wait);
      const timespec timeout{0, wait};
      epoll_event events[64];
      const int n = ::epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
      for (int i = 0; i < n; ++i) {
        const auto it = handlers_.find(events[i].data.fd);
        if (it != handlers_.end()) (*it->second)(events[i].data.fd);
      }
    }
  }

 private:
  int epoll_;
  std::unordered_map<int, const Handler*> handlers_;
  std::multimap<int64_t, std::function<void()>> due_;
};

inline int listen_on_free_port(sockaddr_in& address) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 1024) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return -1;
  }
  return listener;
}

// Answers on each listener after its delay, until the process ends.
[[noreturn]] inline void serve_delayed(const std::vector<std::pair<int, int64_t>>& listeners) {
  DelayLoop loop;
  std::vector<DelayLoop::Handler> handlers(2 * listeners.size());
  for (size_t i = 0; i < listeners.size(); ++i) {
    const int64_t delay_ns = listeners[i].second;
    DelayLoop::Handler& answer = handlers[2 * i];
    answer = [&loop, delay_ns](int fd) {
      char byte = 0;
      if (::read(fd, &byte, 1) != 1) return loop.close(fd);
      loop.at(call_clock_ns() + delay_ns,
              [fd, byte] { (void)!::send(fd, &byte, 1, MSG_NOSIGNAL); });
    };
    handlers[2 * i + 1] = [&loop, &answer](int listener) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      loop.watch(fd, &answer);
    };
    loop.watch(listeners[i].first, &handlers[2 * i + 1]);
  }
  loop.run();
}

struct CallPlan {
  sockaddr_in address{};
  int concurrency = 1;
  bool fresh = false;    // a connection per call
  int64_t pause_ns = 0;  // between two calls, on average; no two are alike
};

// What the caller has waited so far. Written by one thread of another process.
class CallTruth {
 public:
  void begin(int64_t now_ns) {
    change([&] {
      ++under_way_;
      begun_sum_ += now_ns;
    });
  }
  void end(int64_t begun_ns, int64_t now_ns) {
    change([&] {
      --under_way_;
      begun_sum_ -= begun_ns;
      done_ns_ += now_ns - begun_ns;
      ++calls_;
    });
  }
  // Calls under way included, up to now.
  int64_t waited_ns(int64_t now_ns) const {
    while (true) {
      const uint64_t before = version_;
      const int64_t waited = done_ns_ + under_way_ * now_ns - begun_sum_;
      if (before % 2 == 0 && version_ == before) return waited;
    }
  }
  int64_t calls() const { return calls_; }

 private:
  template <typename Change>
  void change(Change&& body) {
    ++version_;
    body();
    ++version_;
  }
  std::atomic<uint64_t> version_{0};
  std::atomic<int64_t> done_ns_{0}, under_way_{0}, begun_sum_{0}, calls_{0};
};

// Shared with children of the test.
inline CallTruth* shared_truths(size_t count) {
  void* memory = ::mmap(nullptr, count * sizeof(CallTruth), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (memory) CallTruth[count];
}

// Keeps the calls of all plans going until the process ends.
[[noreturn]] inline void call_forever(const std::vector<CallPlan>& plans, CallTruth* truths) {
  DelayLoop loop;
  struct Call {
    const CallPlan* plan;
    CallTruth* truth;
    int fd = -1;
    int64_t begun = 0;
  };
  std::vector<Call> calls;
  for (size_t p = 0; p < plans.size(); ++p) {
    for (int i = 0; i < plans[p].concurrency; ++i) calls.push_back({&plans[p], &truths[p]});
  }
  std::unordered_map<int, Call*> by_fd;
  uint32_t random = 12345;
  std::function<void(Call&)> begin;
  const DelayLoop::Handler on_reply = [&](int fd) {
    Call& call = *by_fd.at(fd);
    char byte = 0;
    const ssize_t n = ::read(fd, &byte, 1);
    const int64_t now = call_clock_ns();
    call.truth->end(call.begun, now);
    if (call.plan->fresh || n != 1) {
      const linger reset{1, 0};  // or the ports would run out
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
      by_fd.erase(fd);
      loop.close(fd);
      call.fd = -1;
    }
    random = random * 1664525 + 1013904223;
    const int64_t pause = call.plan->pause_ns / 1000 * (500 + random % 1000);
    loop.at(now + pause, [&begin, &call] { begin(call); });
  };
  begin = [&](Call& call) {
    if (call.fd < 0) {
      call.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int one = 1;
      ::setsockopt(call.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      const auto* to = reinterpret_cast<const sockaddr*>(&call.plan->address);
      if (::connect(call.fd, to, sizeof(call.plan->address)) != 0) ::_exit(3);
      by_fd[call.fd] = &call;
      loop.watch(call.fd, &on_reply);
    }
    call.begun = call_clock_ns();
    call.truth->begin(call.begun);
    (void)!::send(call.fd, "x", 1, MSG_NOSIGNAL);
  };
  // Not all at once: they would go on in step.
  for (size_t i = 0; i < calls.size(); ++i) {
    loop.at(call_clock_ns() + static_cast<int64_t>(i) * 1'700'000,
            [&begin, &call = calls[i]] { begin(call); });
  }
  loop.run();
}

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_DELAYED_CALLS_H_
