// A loopback port for a test to use.
#ifndef PLUMB_TESTS_INTEGRATION_FREE_PORT_H_
#define PLUMB_TESTS_INTEGRATION_FREE_PORT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/unique_fd.h"

namespace plumb {

// A socket that listens on a loopback port of the system's choice.
struct LoopbackListener {
  UniqueFd fd;
  int port = 0;
};

inline LoopbackListener listen_on_loopback() {
  LoopbackListener out;
  out.fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(out.fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  ::listen(out.fd.get(), 64);
  ::getsockname(out.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  out.port = ntohs(address.sin_port);
  return out;
}

// A port that nobody listens on now.
inline int free_port() { return listen_on_loopback().port; }

}  // namespace plumb

#endif  // PLUMB_TESTS_INTEGRATION_FREE_PORT_H_
