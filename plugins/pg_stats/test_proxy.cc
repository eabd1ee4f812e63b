#include "plugins/pg_stats/test_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace plumb::pg_stats {
namespace {

constexpr int kTickMs = 5;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool has_something(int fd) {
  pollfd p{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&p, 1, 0) > 0;
}

void send_all(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

}  // namespace

TestProxy::TestProxy(int server_port) : original_port_(server_port), server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port to listen on");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TestProxy::~TestProxy() {
  ends_.store(true);
  thread_.join();
  close_all();
  ::close(listener_);
}

std::string TestProxy::in_front_of(std::string dsn) const {
  const std::string port = ":" + std::to_string(original_port_) + "/";
  return dsn.replace(dsn.find(port), port.size(), ":" + std::to_string(port_) + "/");
}

void TestProxy::cut() {
  cut_.store(true);
  while (cut_.load()) std::this_thread::yield();
}

void TestProxy::run() {
  while (!ends_.load()) {
    if (cut_.load()) {
      close_all();
      cut_.store(false);
    }
    std::vector<pollfd> all = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      all.push_back({pair.client, POLLIN, 0});
      if (pair.server >= 0) all.push_back({pair.server, POLLIN, 0});
    }
    ::poll(all.data(), all.size(), kTickMs);
    if (has_something(listener_)) accept_one();
    std::erase_if(pairs_, [this](Pair& pair) {
      const bool stays = take_in(pair, true) && take_in(pair, false);
      if (stays) {
        hand_out(pair);
      } else {
        ::close(pair.client);
        ::close(pair.server);
      }
      return !stays;
    });
  }
}

void TestProxy::accept_one() {
  Pair pair{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
  if (const int port = server_port_.load(); port != 0) {
    pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      ::close(pair.client);
      ::close(pair.server);
      return;
    }
  }
  pairs_.push_back(std::move(pair));
}

bool TestProxy::take_in(Pair& pair, bool from_client) {
  const int fd = from_client ? pair.client : pair.server;
  if (!has_something(fd)) return true;
  char buffer[65536];
  const ssize_t n = ::recv(fd, buffer, sizeof(buffer), 0);
  if (n <= 0) return false;
  std::string bytes(buffer, static_cast<size_t>(n));
  if (!from_client) {
    pair.answers.push_back(
        {Clock::now() + std::chrono::milliseconds(delay_ms_.load()), std::move(bytes)});
  } else if (pair.server >= 0) {
    send_all(pair.server, bytes);
  }
  return true;
}

void TestProxy::hand_out(Pair& pair) {
  while (!pair.answers.empty() && pair.answers.front().due <= Clock::now()) {
    send_all(pair.client, pair.answers.front().bytes);
    pair.answers.pop_front();
  }
}

void TestProxy::close_all() {
  for (const Pair& pair : pairs_) {
    ::close(pair.client);
    ::close(pair.server);
  }
  pairs_.clear();
}

}  // namespace plumb::pg_stats
