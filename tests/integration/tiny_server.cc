// A target for tests: answers every HTTP request on the loopback port given with the status given,
// one at a time, until it is ended. usage: tiny_server PORT [STATUS [IGNORE_TERM]]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string status = argc > 2 ? argv[2] : "200";
  if (argc > 3) std::signal(SIGTERM, SIG_IGN);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 16) != 0) {
    std::perror("tiny_server: bind");
    return 1;
  }
  std::puts("tiny_server: listening");
  std::fflush(stdout);
  const std::string answer =
      "HTTP/1.1 " + status + " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  while (true) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) return 1;
    char request[4'096];
    if (::read(client, request, sizeof(request)) > 0) {
      [[maybe_unused]] const ssize_t n = ::write(client, answer.data(), answer.size());
    }
    ::close(client);
  }
}
