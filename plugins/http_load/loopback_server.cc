#include "plugins/http_load/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace plumb::http_load {
namespace {

// The length of the first whole request in `input`, or 0.
size_t whole_request(const std::string& input) {
  const size_t head = input.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  size_t body = 0;
  if (const size_t at = input.find("Content-Length: "); at < head)
    body = std::stoul(input.substr(at + 16));
  return input.size() >= head + 4 + body ? head + 4 + body : 0;
}

}  // namespace

std::string ok_with(const std::string& body, const std::string& headers) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 1024) != 0 || pipe(stop_) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no loopback server");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() { stop(); }

void LoopbackServer::stop() {
  if (!thread_.joinable()) return;
  close(stop_[1]);
  thread_.join();
  for (const Peer& peer : peers_) close(peer.fd);
  close(listener_);
  close(stop_[0]);
}

std::string LoopbackServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

const std::vector<std::string>& LoopbackServer::requests() {
  stop();
  return requests_;
}

uint64_t LoopbackServer::connections() {
  stop();
  return connections_;
}

bool LoopbackServer::on_input(Peer& peer) {
  char buffer[16384];
  const ssize_t n = recv(peer.fd, buffer, sizeof(buffer), 0);
  if (n <= 0) return false;
  peer.input.append(buffer, static_cast<size_t>(n));
  while (const size_t length = whole_request(peer.input)) {
    requests_.push_back(peer.input.substr(0, length));
    peer.input.erase(0, length);
    const Reply reply = handler_(requests_.back());
    for (size_t sent = 0; sent < reply.bytes.size();) {
      const ssize_t more =
          send(peer.fd, reply.bytes.data() + sent, reply.bytes.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += static_cast<size_t>(more);
    }
    if (reply.after == Reply::kReset) {
      const linger now{1, 0};
      setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    if (reply.after != Reply::kKeep) return false;
  }
  return true;
}

void LoopbackServer::serve() {
  for (;;) {
    std::vector<pollfd> watched = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Peer& peer : peers_) watched.push_back({peer.fd, POLLIN, 0});
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return;
    std::vector<Peer> kept;
    for (size_t i = 0; i < peers_.size(); ++i) {
      if (watched[i + 2].revents == 0 || on_input(peers_[i]))
        kept.push_back(std::move(peers_[i]));
      else
        close(peers_[i].fd);
    }
    peers_ = std::move(kept);
    if (watched[1].revents == 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    peers_.push_back({fd, {}});
    ++connections_;
  }
}

}  // namespace plumb::http_load
