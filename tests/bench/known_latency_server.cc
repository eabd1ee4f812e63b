// An HTTP server whose latencies are known: it answers each request exactly as late as it drew, and
// says at its end what it drew. It spins, so that no timer or wakeup adds to them: give it a
// processor of its own.
//
// usage: known_latency_server PORT     SIGTERM ends it and prints {"count", "p50_us", ...}
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <queue>
#include <random>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr double kMedianSeconds = 0.005;
constexpr double kSigma = 0.6;  // p99 is 20 ms, p99.9 32 ms

volatile std::sig_atomic_t stop_asked = 0;

int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * int64_t{1'000'000'000} + t.tv_nsec;
}

struct Due {
  int64_t at_ns;
  int fd;
  bool operator>(const Due& other) const { return at_ns > other.at_ns; }
};

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 1024) != 0) {
    std::perror("known_latency_server");
    std::exit(1);
  }
  return fd;
}

double quantile_us(const std::vector<int64_t>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<size_t>(rank, 1) - 1]) / 1e3;
}

void add(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  const int listener = listen_on(std::atoi(argv[1]));
  const int epoll = epoll_create1(0);
  add(epoll, listener);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> draw(std::log(kMedianSeconds), kSigma);
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  std::vector<int64_t> drawn;
  std::array<char, 4096> buffer{};
  std::array<epoll_event, 64> events{};
  while (stop_asked == 0) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener) {
        const int peer = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        const int on = 1;
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (peer >= 0) add(epoll, peer);
        continue;
      }
      const int64_t arrived_ns = now_ns();
      const ssize_t size = read(fd, buffer.data(), buffer.size());
      if (size <= 0) {
        close(fd);  // a client that goes has no answer due: each waits for its own
        continue;
      }
      // Requests come one at a time on a connection, and each fits one segment.
      const auto delay_ns = static_cast<int64_t>(draw(random) * 1e9);
      drawn.push_back(delay_ns);
      due.push({arrived_ns + delay_ns, fd});
    }
    while (!due.empty() && due.top().at_ns <= now_ns()) {
      if (write(due.top().fd, kAnswer.data(), kAnswer.size()) < 0) std::perror("write");
      due.pop();
    }
  }
  std::sort(drawn.begin(), drawn.end());
  std::printf("{\"count\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n",
              drawn.size(), quantile_us(drawn, 0.5), quantile_us(drawn, 0.99),
              quantile_us(drawn, 0.999));
  return 0;
}
