// Transport over the plugin's own HTTP/1.1 engine: one epoll loop, keep-alive, one request per
// connection at a time, requests prebuilt. A request on a kept connection costs one write, one
// read and its share of an epoll_wait.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP1_TRANSPORT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP1_TRANSPORT_H_

#include <deque>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "plugins/http_load/addresses.h"
#include "plugins/http_load/clock.h"
#include "plugins/http_load/deadlines.h"
#include "plugins/http_load/http1_request.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/poller.h"
#include "plugins/http_load/tls_client.h"
#include "plugins/http_load/trace_ids.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class Http1Transport final : public Transport {
 public:
  // `plan`, `clock` and `stop` outlive the transport. Ignores SIGPIPE for the process, since
  // OpenSSL raises it.
  static Result<std::unique_ptr<Http1Transport>> open(const LoadPlan& plan, const Clock& clock,
                                                      const StopFlag& stop);
  ~Http1Transport() override;
  Http1Transport(const Http1Transport&) = delete;
  Http1Transport& operator=(const Http1Transport&) = delete;

  bool can_start() const override { return in_flight_ < limit_; }
  void start(const Start& request) override;
  void poll(int64_t until_ns, CompletionHandler& handler) override;
  size_t in_flight() const override { return in_flight_; }
  void abandon_all() override;

 private:
  struct Connection;
  struct Failure;

  Http1Transport(const LoadPlan& plan, const Clock& clock);
  Connection& free_connection();

  // Each step goes as far as it can without waiting.
  void connect(Connection& c);
  void connected(Connection& c);
  void secure(Connection& c);
  void send(Connection& c);
  void receive(Connection& c);
  void react(Connection& c, uint32_t events);
  void peer_closed(Connection& c);
  void fail(Connection& c, const Failure& failure);
  void fail_transfer(Connection& c);
  void fail_io(Connection& c, int os_errno);
  bool try_again(Connection& c);

  void want(Connection& c, uint32_t events);
  void close(Connection& c);
  void retire(Connection& c);

  void end(Connection& c);
  void report(size_t count, CompletionHandler& handler);
  void finish(Connection& c, CompletionHandler& handler);
  void expire();

  const LoadPlan& plan_;
  const std::string authority_;
  const Clock& clock_;
  const size_t limit_;
  TraceIds traces_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Addresses> addresses_;
  std::unique_ptr<TlsClient> tls_;      // null over plain TCP
  std::vector<Http1Request> prepared_;  // by endpoint
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> by_fd_;
  std::vector<Connection*> idle_;    // kept alive; the last used is used next
  std::vector<Connection*> unused_;  // without a socket
  Deadlines<Connection> deadlines_;  // of what is in flight
  size_t in_flight_ = 0;
  std::deque<Connection*> ended_;    // not yet reported
  std::vector<Descriptor> closing_;  // until the events at hand are done with
  std::vector<char> buffer_;         // what is being read
  std::string timing_;               // of the completion being reported
  std::string detail_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP1_TRANSPORT_H_
