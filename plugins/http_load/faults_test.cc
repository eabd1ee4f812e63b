// What goes wrong on the way to a target lands in exactly one class.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/plugin_run.h"
#include "plugins/http_load/tls_server.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int64_t kPatient = 2'000;  // ms: for faults that are no timeouts, on a busy machine too

json load_of_one_user(const std::string& protocol, int64_t timeout_ms = 100) {
  json load = closed_load(protocol, 1);
  load["timeout_ns"] = timeout_ms * kMs;
  load["think_ns"] = 5 * kMs;
  return load;
}

// What happens until a request is on its way is the same whatever it is written in.
class FaultsOver : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Protocol, FaultsOver, testing::Values("http1", "http2"),
                         [](const auto& protocol) { return protocol.param; });

// Every request of a run against `url` failed, and in that one class.
void expect_only(const std::string& url, const std::string& error, const json& load,
                 const std::string& detail = {}) {
  const PluginRun run(url, load, 50, 250);
  const std::string errors = run.host.tables.at("http_errors").dump();
  EXPECT_GE(run.failures(error), 1) << errors;
  EXPECT_EQ(run.failures(error), run.host.total("http_requests_total{")) << errors;
  EXPECT_THAT(errors, HasSubstr(detail));
}

std::string https_of(const std::string& url) { return "https" + url.substr(url.find("://")); }

// Listens and lets nobody in: its queue of one is full, so further connections stay half open.
class FullBacklog {
 public:
  FullBacklog() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(listener_, 0), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    for (int i = 0; i < 4; ++i) {
      waiting_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      (void)connect(waiting_.back(), reinterpret_cast<sockaddr*>(&at), size);
    }
  }
  ~FullBacklog() {
    for (const int fd : waiting_) close(fd);
    close(listener_);
  }
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_ = -1;
  int port_ = 0;
  std::vector<int> waiting_;
};

TEST_P(FaultsOver, ATimeoutSaysWhichPhaseItEnded) {
  const json load = load_of_one_user(GetParam());
  const FullBacklog full;
  expect_only(full.url(), "timeout_connect", load, "while connecting");
  LoopbackServer silent([](const std::string&) { return Reply{}; });
  expect_only(silent.url(), "timeout_wait", load, "waiting for the first byte");
  LoopbackServer mute([](const std::string&) { return Reply{}; });
  expect_only(https_of(mute.url()), "timeout_tls", load, "TLS handshake");
}

TEST(Faults, ATimeoutWhileReceivingIsItsOwnClass) {
  LoopbackServer half([](const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"};
  });
  expect_only(half.url(), "timeout_transfer", load_of_one_user("http1"), "while receiving");
}

TEST_P(FaultsOver, ATimeoutWhileSendingIsItsOwnClass) {
  // The kernel completes the connection and takes what its buffers hold; nobody reads.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(listen(listener, 64), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  json load = load_of_one_user(GetParam());
  load["requests"][0]["method"] = "POST";
  load["requests"][0]["body"] = std::string(16 << 20, 'x');
  expect_only("http://127.0.0.1:" + std::to_string(ntohs(at.sin_port)), "timeout_send", load,
              "while sending");
  close(listener);
}

TEST_P(FaultsOver, ACertificateThatNobodyTrustsIsATlsFailure) {
  TlsServer server;
  expect_only(server.url(), "tls", load_of_one_user(GetParam(), kPatient),
              "self-signed certificate");
}

TEST_P(FaultsOver, ANameThatDoesNotResolveIsADnsFailure) {
  expect_only("http://no-such-host.invalid:81", "dns", load_of_one_user(GetParam(), kPatient),
              "no-such-host.invalid");
}

TEST(Faults, HeadersWithoutEndAreAProtocolFailure) {
  LoopbackServer endless([](const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'a')};
  });
  expect_only(endless.url(), "protocol", load_of_one_user("http1", kPatient),
              "too many header bytes");
}

TEST(Faults, AChunkThatIsCutOffIsAReset) {
  LoopbackServer cut([](const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Reply::kClose};
  });
  expect_only(cut.url(), "reset", load_of_one_user("http1", kPatient),
              "in the middle of the answer");
}

TEST(Faults, TrustedTlsWorksAndItsHandshakeIsTimed) {
  TlsServer server;
  const TrustThisCertificate trust(server.context());
  const PluginRun run(server.url(), closed_load("http1", 2), 50, 200);
  EXPECT_GT(run.host.count("http_response_seconds{endpoint=home,outcome=ok}"), 10u);
  EXPECT_EQ(run.host.count("http_response_seconds{endpoint=home,outcome=failed}"), 0u);
  EXPECT_GT(run.host.sum("http_phase_seconds{endpoint=home,phase=tls"), 0u);
  EXPECT_EQ(server.connections(), 2u);
}

}  // namespace
}  // namespace plumb::http_load
