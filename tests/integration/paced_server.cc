// A target whose capacity is known by construction: WORKERS threads that each hold a request for
// exactly SERVICE_US microseconds, so WORKERS / SERVICE_US is what it can do. Answers HTTP/1.1 GETs
// on loopback with keep-alive until it is ended. A request that finds QUEUE requests waiting gets
// 503. usage: paced_server PORT WORKERS SERVICE_US [QUEUE]
//
// A worker's end of work is reckoned from the end of the last, not from when it woke up: what a
// timer is late does not lessen the capacity.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

void sleep_until(int64_t time_ns) {
  const timespec t{time_ns / kSecond, time_ns % kSecond};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

struct Waiting {
  int client;
  int64_t arrived_ns;
};

void answer(int client, std::string_view status) {
  const std::string text = "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n";
  // The answer is smaller than any socket buffer; a client that left is no matter.
  [[maybe_unused]] const ssize_t n = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
}

class Queue {
 public:
  explicit Queue(size_t most) : most_(most) {}

  bool push(Waiting request) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.size() >= most_) return false;
      waiting_.push_back(request);
    }
    filled_.notify_one();
    return true;
  }

  Waiting pop() {
    std::unique_lock<std::mutex> lock(mutex_);
    filled_.wait(lock, [this] { return !waiting_.empty(); });
    const Waiting out = waiting_.front();
    waiting_.pop_front();
    return out;
  }

 private:
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Waiting> waiting_;
};

[[noreturn]] void work(Queue& queue, int64_t service_ns) {
  ::prctl(PR_SET_TIMERSLACK, 1);
  int64_t free_ns = 0;
  while (true) {
    const Waiting request = queue.pop();
    free_ns = std::max(free_ns, request.arrived_ns) + service_ns;
    sleep_until(free_ns);
    answer(request.client, "200 OK");
  }
}

// Counts the requests that end in `bytes`; `seen` is how much of a blank line has come before.
size_t requests_in(std::string_view bytes, size_t& seen) {
  static constexpr std::string_view kEnd = "\r\n\r\n";
  size_t found = 0;
  for (const char c : bytes) {
    seen = c == kEnd[seen] ? seen + 1 : (c == '\r' ? 1 : 0);
    if (seen < kEnd.size()) continue;
    seen = 0;
    ++found;
  }
  return found;
}

int listen_on(uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 1'024) != 0)
    return -1;
  return listener;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

class Server {
 public:
  Server(int listener, Queue& queue)
      : listener_(listener), epoll_(::epoll_create1(0)), queue_(queue) {
    watch(epoll_, listener_);
  }

  [[noreturn]] void serve() {
    std::array<epoll_event, 64> events{};
    while (true) {
      const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_)
          take_clients();
        else
          read_from(fd);
      }
    }
  }

 private:
  void take_clients() {
    for (int client = ::accept(listener_, nullptr, nullptr); client >= 0;
         client = ::accept(listener_, nullptr, nullptr)) {
      const int yes = 1;
      ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      seen_[client] = 0;
      watch(epoll_, client);
    }
  }

  void read_from(int client) {
    std::array<char, 8'192> buffer{};
    const ssize_t n = ::recv(client, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return;
      // A worker may still hold this number: a new client that gets it would be sent its answer.
      // It is kept open, shut, and so never used again.
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client, nullptr);
      ::shutdown(client, SHUT_RDWR);
      retired_.push_back({client, now_ns()});
      close_retired();
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
    for (size_t i = requests_in(bytes, seen_[client]); i > 0; --i)
      if (!queue_.push({client, now_ns()})) answer(client, "503 Busy");
  }

  // By then no worker holds it any more.
  void close_retired() {
    constexpr int64_t kKept = 60 * kSecond;
    while (!retired_.empty() &&
           (now_ns() - retired_.front().arrived_ns > kKept || retired_.size() > 8'192)) {
      ::close(retired_.front().client);
      retired_.pop_front();
    }
  }

  const int listener_;
  const int epoll_;
  Queue& queue_;
  std::map<int, size_t> seen_;
  std::deque<Waiting> retired_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: paced_server PORT WORKERS SERVICE_US [QUEUE]\n", stderr);
    return 2;
  }
  const int workers = std::atoi(argv[2]);
  const int64_t service_ns = std::atoll(argv[3]) * 1'000;
  if (workers < 1 || workers > 256 || service_ns < 1) return 2;
  const int listener = listen_on(static_cast<uint16_t>(std::atoi(argv[1])));
  if (listener < 0) {
    std::perror("paced_server: bind");
    return 1;
  }
  Queue queue(argc > 4 ? static_cast<size_t>(std::atoll(argv[4])) : 4'096);
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i)
    threads.emplace_back([&queue, service_ns] { work(queue, service_ns); });
  std::puts("paced_server: listening");
  std::fflush(stdout);
  Server(listener, queue).serve();
}
