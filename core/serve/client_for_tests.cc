#include "core/serve/client_for_tests.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace plumb::serve {

TestClient::TestClient(uint16_t port, int receive_buffer_bytes)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{20, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
               sizeof(receive_buffer_bytes));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fd_.reset();
  }
}

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool TestClient::receive() {
  std::array<char, 16384> piece{};
  const ssize_t n = recv(fd_.get(), piece.data(), piece.size(), 0);
  if (n <= 0) return false;
  pending_.append(piece.data(), static_cast<size_t>(n));
  return true;
}

std::string TestClient::read_until(std::string_view text) {
  size_t at = pending_.find(text);
  while (at == std::string::npos && receive()) at = pending_.find(text);
  const size_t size = at == std::string::npos ? pending_.size() : at + text.size();
  std::string out = pending_.substr(0, size);
  pending_.erase(0, size);
  return out;
}

std::string TestClient::read_bytes(size_t count) {
  while (pending_.size() < count && receive()) {
  }
  std::string out = pending_.substr(0, count);
  pending_.erase(0, out.size());
  return out;
}

std::string TestClient::read_chunks() {
  std::string out;
  while (true) {
    const size_t size = std::strtoul(read_until("\r\n").c_str(), nullptr, 16);
    out += read_bytes(size);
    if (read_until("\r\n").empty() || size == 0) return out;
  }
}

Reply TestClient::read_head() {
  Reply reply;
  const std::string head = read_until("\r\n\r\n");
  if (head.size() < 12) return reply;
  reply.status = std::atoi(head.c_str() + 9);
  size_t at = head.find("\r\n") + 2;
  while (at < head.size() - 2) {
    const size_t end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    if (colon != std::string::npos && colon < end) {
      std::string name = head.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      reply.headers[name] = head.substr(colon + 2, end - colon - 2);
    }
    at = end + 2;
  }
  return reply;
}

Reply TestClient::read_reply(bool head) {
  Reply reply = read_head();
  if (head) return reply;
  if (reply.headers.count("transfer-encoding") > 0) {
    reply.body = read_chunks();
  } else if (const auto length = reply.headers.find("content-length");
             length != reply.headers.end()) {
    reply.body = read_bytes(std::strtoul(length->second.c_str(), nullptr, 10));
  }
  return reply;
}

bool TestClient::readable_within(std::chrono::milliseconds time) const {
  pollfd ready{fd_.get(), POLLIN, 0};
  return poll(&ready, 1, static_cast<int>(time.count())) > 0;
}

bool TestClient::ends() {
  while (receive()) pending_.clear();
  std::array<char, 1> byte{};
  return recv(fd_.get(), byte.data(), byte.size(), MSG_DONTWAIT) == 0 || errno != EAGAIN;
}

std::string request_text(uint16_t port, std::string_view method, std::string_view target,
                         std::string_view headers, std::string_view body) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1:");
  text.append(std::to_string(port)).append("\r\n").append(headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

Reply ask(uint16_t port, std::string_view method, std::string_view target, std::string_view headers,
          std::string_view body) {
  TestClient client(port);
  client.send(request_text(port, method, target, headers, body));
  return client.read_reply(method == "HEAD");
}

}  // namespace plumb::serve
