// The plugin through its C entry, on real processes and real sockets of this machine. Durations are
// measured, not assumed: each test compares with what the kernel or the test itself counted.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "plugins/host_metrics/live_watch.h"

namespace plumb::host_metrics {
namespace {

using Clock = LiveClock;
using std::chrono::milliseconds;

TEST(HostMetricsLive, ProcessorTimeOfABurningChildIsWhatGetrusageSays) {
  int answer[2];
  int go[2];
  ASSERT_EQ(::pipe(answer), 0);
  ASSERT_EQ(::pipe(go), 0);
  Child child([&] {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) return;
    // Two threads, one of which ends while the watch goes on: its time must not be lost.
    // Until they have used so much processor, however many others want it.
    const auto burn = [](double seconds) {
      timespec used{};
      do {
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
      } while (static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9 <
               seconds);
    };
    std::thread brief(burn, 0.4);
    burn(0.8);
    brief.join();
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const double seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    if (::write(answer[1], &seconds, sizeof(seconds)) != sizeof(seconds)) return;
    ::pause();
  });
  Watch watch(child.selector());
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  pollfd done{answer[0], POLLIN, 0};
  for (int i = 0; i < 180 && ::poll(&done, 1, 0) == 0; ++i) watch.collect_for(milliseconds(100));
  double used = 0;
  ASSERT_EQ(::read(answer[0], &used, sizeof(used)), static_cast<ssize_t>(sizeof(used)));
  watch.collect_for(milliseconds(1200));

  const auto& cpu = watch.host.series("target_cpu_seconds_total");
  ASSERT_GE(cpu.size(), 2u);
  EXPECT_NEAR(cpu.back().value - cpu.front().value, used, 0.1 * used);
  EXPECT_EQ(watch.host.last("target_processes"), 1.0);
  for (const int fd : {answer[0], answer[1], go[0], go[1]}) ::close(fd);
}

// Answers each byte with a byte, `delay` later, one thread per connection, until it is killed.
void serve(int listener, milliseconds delay) {
  while (true) {
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection < 0) return;
    std::thread([connection, delay] {
      char byte = 0;
      while (::read(connection, &byte, 1) == 1) {
        if (delay.count() > 0) std::this_thread::sleep_for(delay);
        if (::write(connection, &byte, 1) != 1) break;
      }
      ::close(connection);
    }).detach();
  }
}

int listen_on_loopback(sockaddr_in& address) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return -1;
  }
  return listener;
}

// `callers` connections, each used for one call after another with a pause between; `waited_ns` is
// how long the calls took in all. No two pauses are alike, or all callers would wait in step and a
// few dozen samples say little of the mean.
class Callers {
 public:
  Callers(const sockaddr_in& address, int callers, milliseconds pause) {
    for (int i = 0; i < callers; ++i) {
      const milliseconds own_pause = pause.count() > 0 ? pause + milliseconds(i) : pause;
      threads_.emplace_back([this, address, pause = own_pause] {
        const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int one = 1;
        ::setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (::connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
        char byte = 'x';
        while (!stop_) {
          const auto begin = Clock::now();
          if (::write(s, &byte, 1) != 1 || ::read(s, &byte, 1) != 1) break;
          waited_ns += std::chrono::nanoseconds(Clock::now() - begin).count();
          if (pause.count() > 0) std::this_thread::sleep_for(pause);
        }
        ::close(s);
      });
    }
  }
  ~Callers() {
    stop_ = true;
    for (auto& t : threads_) t.join();
  }
  std::atomic<int64_t> waited_ns{0};

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

struct Measured {
  double seen;
  double truth;
  double sockets;
};

// The test itself is the target, the server as its child included: the ends that the server
// accepted must not be taken for outbound ones.
Measured measure(int callers, milliseconds delay, milliseconds pause) {
  sockaddr_in address{};
  const int listener = listen_on_loopback(address);
  EXPECT_GE(listener, 0);
  Child server([&] { serve(listener, delay); });
  ::close(listener);
  Callers calls(address, callers, pause);
  Watch watch(R"({"pid":)" + std::to_string(::getpid()) + "}");
  const int64_t before = calls.waited_ns;
  const auto begin = Clock::now();
  watch.collect_for(milliseconds(4200));
  const double truth = static_cast<double>(calls.waited_ns - before) /
                       static_cast<double>(std::chrono::nanoseconds(Clock::now() - begin).count());
  const std::string peer = "{peer=127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "}";
  EXPECT_EQ(watch.host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << watch.host.health_message;
  const Measured out{mean_after_first(watch.host.series("downstream_awaiting" + peer)), truth,
                     watch.host.last("downstream_sockets" + peer).value_or(-1)};
  std::cout << "awaiting seen " << out.seen << ", true " << out.truth << "\n";
  return out;
}

TEST(HostMetricsLive, CallsToASlowPeerAreSeenAwaiting) {
  const Measured m = measure(8, milliseconds(60), milliseconds(0));
  EXPECT_EQ(m.sockets, 8);
  EXPECT_NEAR(m.seen, m.truth, 0.15 * m.truth);
}

TEST(HostMetricsLive, CallsWithPausesAreSeenAwaitingInProportion) {
  const Measured m = measure(8, milliseconds(30), milliseconds(30));
  EXPECT_NEAR(m.seen, m.truth, 0.2 * m.truth + 0.2);
}

TEST(HostMetricsLive, AFastPeerIsHardlyEverAwaited) {
  const Measured m = measure(8, milliseconds(0), milliseconds(20));
  // On a crowded machine the sampler wakes together with the callers, just before their replies;
  // taking ties for unanswered requests would show most of the 8.
  EXPECT_GE(m.seen, 0) << "it was looked for";
  EXPECT_LT(m.seen, m.truth + 1.5);
}

TEST(HostMetricsLive, ConnectionsThatNobodyAcceptsAreSeenInTheQueue) {
  sockaddr_in address{};
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 7), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), reinterpret_cast<sockaddr*>(&address), size), 0);
  }
  Watch watch(R"({"port":)" + std::to_string(ntohs(address.sin_port)) + "}");
  watch.collect_for(milliseconds(2200));
  const std::string port = "{port=" + std::to_string(ntohs(address.sin_port)) + "}";
  EXPECT_EQ(watch.host.last("target_accept_queue" + port), 5);
  EXPECT_EQ(watch.host.last("target_accept_queue_max" + port), 5);
  EXPECT_EQ(watch.host.last("target_accept_queue_limit" + port), 7);
  EXPECT_GT(watch.host.last("target_descriptors").value_or(0), 5);
  for (const int client : clients) ::close(client);
  ::close(listener);
}

[[noreturn]] void burn_forever() {
  std::atomic<uint64_t> turns{0};
  while (true) ++turns;
}

// A cgroup with a quota of a fifth of a processor, where this user may make one.
class QuotaGroup {
 public:
  QuotaGroup() {
    const std::string name = "/plumb-live-test-" + std::to_string(::getpid());
    for (const char* base : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
      const std::string at = base + name;
      if (::mkdir(at.c_str(), 0755) != 0) continue;
      path_ = at;
      if (write("/cpu.cfs_period_us", "100000") && write("/cpu.cfs_quota_us", "20000")) return;
      ::rmdir(at.c_str());
      path_.clear();
    }
    const std::string at = "/sys/fs/cgroup" + name;
    if (::mkdir(at.c_str(), 0755) != 0) return;
    path_ = at;
    if (write("/cpu.max", "20000 100000")) return;
    ::rmdir(at.c_str());
    path_.clear();
  }
  ~QuotaGroup() {
    // It empties a little after its last process was waited for.
    for (int i = 0; i < 50 && !path_.empty() && ::rmdir(path_.c_str()) != 0; ++i) {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  bool made() const { return !path_.empty(); }
  bool take(pid_t pid) const { return write("/cgroup.procs", std::to_string(pid)); }

 private:
  bool write(const char* leaf, const std::string& text) const {
    const int fd = ::open((path_ + leaf).c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::write(fd, text.data(), text.size()) > 0;
    if (fd >= 0) ::close(fd);
    return done;
  }
  std::string path_;
};

TEST(HostMetricsLive, AQuotaThatHoldsTheTargetBackIsToldFromNeighbours) {
  const QuotaGroup group;
  if (!group.made()) GTEST_SKIP() << "this user may not make a cgroup with a quota";
  const Child child(burn_forever);
  ASSERT_TRUE(group.take(child.pid()));
  Watch watch(child.selector());
  watch.collect_for(milliseconds(4200));
  EXPECT_EQ(watch.host.last("target_quota_processors"), 0.2);
  const auto grown = [&](const std::string& key) {
    const auto& points = watch.host.series(key);
    return points.size() > 1 ? points.back().value - points.front().value : 0;
  };
  EXPECT_GT(grown("target_throttled_periods_total"), 10);
  EXPECT_LE(grown("target_throttled_periods_total"), grown("target_periods_total"));
  // It wants a whole processor and gets a fifth of one at most, less on a crowded machine.
  EXPECT_GT(grown("target_throttled_seconds_total"), 1.0);
  EXPECT_LT(grown("target_cpu_seconds_total"), 1.3);
}

TEST(HostMetricsLive, GroupsSumToWhatTheMachineUsed) {
  const Child child(burn_forever);
  const Child neighbour(burn_forever);
  Watch watch(child.selector());
  watch.collect_for(milliseconds(5200));
  const auto grown = [&](const std::string& key) {
    const auto& points = watch.host.series(key);
    return points.empty() ? 0 : points.back().value - points.front().value;
  };
  double groups = 0;
  size_t labels = 0;
  for (const auto& [key, points] : watch.host.points) {
    if (!key.starts_with("host_group_cpu_seconds_total")) continue;
    groups += points.back().value;
    ++labels;
  }
  const double machine = grown("host_cpu_seconds_total{mode=user}") +
                         grown("host_cpu_seconds_total{mode=system}") -
                         grown("host_interrupt_seconds_total");
  EXPECT_NEAR(groups, machine, 0.1 * machine);
  EXPECT_LE(labels, 12u);
  EXPECT_NEAR(watch.host.last("host_group_cpu_seconds_total{group=target}").value_or(0),
              grown("target_cpu_seconds_total"), 0.05);
  // What the target waited is shared out to the last millisecond.
  double beside = 0;
  for (const auto& [key, points] : watch.host.points) {
    if (key.starts_with("target_runqueue_beside")) beside += points.back().value;
  }
  EXPECT_NEAR(beside, grown("target_runqueue_seconds_total"), 0.01 + 0.02 * beside);
  EXPECT_TRUE(watch.host.tables.contains("host"));
}

}  // namespace
}  // namespace plumb::host_metrics
