#include "downstream.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "errors.h"

namespace shop {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t kMaxPeerConnections = 512;
constexpr int kAnswerLimitMs = 30'000;
constexpr int kStartLimitMs = 5'000;

bool wait_readable(int descriptor, int limit_ms) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, limit_ms) > 0;
}

// Runs in the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_payments(const char* delay_ms, int output, pid_t parent) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before prctl
  ::dup2(output, STDOUT_FILENO);
  ::execl("/proc/self/exe", "shop", "payments", "--port", "0", "--delay-ms", delay_ms, nullptr);
  ::_exit(127);
}

// The port in "... listening on http://127.0.0.1:PORT\n", or 0.
std::uint16_t read_port(int input) {
  std::string line;
  char buffer[128];
  while (line.find('\n') == std::string::npos && wait_readable(input, kStartLimitMs)) {
    const ssize_t count = ::read(input, buffer, sizeof buffer);
    if (count <= 0) return 0;
    line.append(buffer, static_cast<std::size_t>(count));
  }
  std::uint16_t port = 0;
  const char* end = line.data() + line.size();
  std::from_chars(line.data() + line.rfind(':') + 1, end, port);
  return port;
}

}  // namespace

PaymentsProcess::PaymentsProcess(std::chrono::milliseconds delay) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Unavailable("cannot start the payments service");
  const std::string delay_ms = std::to_string(delay.count());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become_payments(delay_ms.c_str(), ends[1], parent);
  ::close(ends[1]);
  port_ = pid_ > 0 ? read_port(ends[0]) : 0;
  ::close(ends[0]);
  if (port_ != 0) return;
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  throw Unavailable("cannot start the payments service");
}

PaymentsProcess::~PaymentsProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

struct PaymentsClient::Connection {
  Connection(asio::io_context& io, std::uint16_t port) : socket(io) {
    error_code error;
    socket.connect({asio::ip::address_v4::loopback(), port}, error);
    if (error) throw Unavailable("cannot reach the payments service: " + error.message());
    socket.set_option(tcp::no_delay(true), error);
  }

  // Kept only after a whole answer.
  bool usable() const { return idle; }

  // True when the other side has closed an idle connection, which then has an end to read.
  bool ended() const { return wait_readable(const_cast<tcp::socket&>(socket).native_handle(), 0); }

  tcp::socket socket;
  boost::beast::flat_buffer buffer;
  bool idle = true;
};

PaymentsClient::PaymentsClient(std::uint16_t port)
    : port_(port), connections_(kMaxPeerConnections, [this] {
        return std::make_unique<Connection>(io_, port_);
      }) {}

PaymentsClient::~PaymentsClient() = default;

void PaymentsClient::authorise(std::int64_t item, std::int64_t quantity) {
  call("POST", "/payments", nlohmann::json{{"item", item}, {"quantity", quantity}}.dump());
}

std::int64_t PaymentsClient::discount_cents(std::int64_t item) {
  const std::string body = call("GET", "/discounts/" + std::to_string(item), "");
  return nlohmann::json::parse(body, nullptr, false).value("discount_cents", std::int64_t{0});
}

std::string PaymentsClient::call(const std::string& method, const std::string& path,
                                 const std::string& body) {
  auto lease = connections_.take();
  Connection& connection = *lease;
  if (connection.ended()) connection = Connection(io_, port_);

  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();

  connection.idle = false;
  error_code error;
  http::write(connection.socket, request, error);
  if (!error && !wait_readable(connection.socket.native_handle(), kAnswerLimitMs)) {
    throw Unavailable("the payments service does not answer");
  }
  http::response<http::string_body> response;
  if (!error) http::read(connection.socket, connection.buffer, response, error);
  if (error) throw Unavailable("the payments service broke off: " + error.message());
  connection.idle = response.keep_alive();
  if (response.result_int() != 200) throw Unavailable("the payments service refused");
  return response.body();
}

}  // namespace shop
