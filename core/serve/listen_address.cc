#include <arpa/inet.h>

#include <charconv>

#include "core/serve/http_server.h"

namespace plumb::serve {

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::string quoted = "'" + std::string(text) + "'";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Status::invalid_argument(quoted + " has no port; write HOST:PORT, as 127.0.0.1:7420");
  }
  const std::string_view port_text = text.substr(colon + 1);
  ListenAddress address;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
  if (error != std::errc() || end != port_text.data() + port_text.size()) {
    return Status::invalid_argument(quoted + " does not end in a port from 0 to 65535");
  }

  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  in_addr v4{};
  in6_addr v6{};
  const bool loopback =
      inet_pton(AF_INET, host.c_str(), &v4) == 1
          ? (ntohl(v4.s_addr) >> 24) == 127
          : inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
  if (!loopback) {
    return Status::permission_denied(
        quoted +
        " is no address of this machine's loopback. plumbd can run load and commands for whoever "
        "reaches it, so it listens on 127.0.0.1, [::1] or localhost only. To use it from another "
        "machine, forward the port: ssh -L 7420:127.0.0.1:7420 HOST");
  }
  address.host = host;
  return address;
}

}  // namespace plumb::serve
