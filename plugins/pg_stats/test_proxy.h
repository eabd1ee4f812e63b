// For tests: a TCP proxy in front of a server that can be made slow, mute, or lead elsewhere.
#ifndef PLUMB_PLUGINS_PG_STATS_TEST_PROXY_H_
#define PLUMB_PLUGINS_PG_STATS_TEST_PROXY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace plumb::pg_stats {

// Listens on a port of its own on loopback. Its functions may be called from one thread; what they
// change holds from the next byte on.
class TestProxy {
 public:
  explicit TestProxy(int server_port);
  ~TestProxy();
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;

  int port() const { return port_; }
  // `dsn`, which names the server's port, with the proxy's instead.
  std::string in_front_of(std::string dsn) const;
  // Connections made from now on lead to this port; 0: they are taken, and nobody answers.
  void lead_to(int server_port) { server_port_.store(server_port); }
  // What the server says arrives so much later.
  void delay_answers(std::chrono::milliseconds delay) { delay_ms_.store(delay.count()); }
  // Breaks off all connections.
  void cut();

 private:
  using Clock = std::chrono::steady_clock;
  struct Late {
    Clock::time_point due;
    std::string bytes;
  };
  struct Pair {
    int client = -1;
    int server = -1;
    std::deque<Late> answers = {};
  };
  void run();
  void accept_one();
  // False when either side is gone.
  bool take_in(Pair& pair, bool from_client);
  void hand_out(Pair& pair);
  void close_all();

  int original_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> server_port_;
  std::atomic<int64_t> delay_ms_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> ends_{false};
  std::vector<Pair> pairs_;  // the thread's own
  std::thread thread_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_TEST_PROXY_H_
