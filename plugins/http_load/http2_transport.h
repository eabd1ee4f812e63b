// Transport over HTTP/2, by nghttp2: one epoll loop, many requests at a time on each connection.
// What a turn of the loop begins goes out in one write for each connection, and a request costs its
// share of that, of a read and of an epoll_wait.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP2_TRANSPORT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP2_TRANSPORT_H_

#include <deque>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "plugins/http_load/addresses.h"
#include "plugins/http_load/clock.h"
#include "plugins/http_load/deadlines.h"
#include "plugins/http_load/http2_request.h"
#include "plugins/http_load/least_loaded.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/poller.h"
#include "plugins/http_load/recycled_memory.h"
#include "plugins/http_load/tls_client.h"
#include "plugins/http_load/trace_ids.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

// Requests are spread evenly: each goes to the connection that carries the fewest, and another
// connection is opened, up to the plan's number, when all that are open carry something. A
// connection that its peer, or a timeout without a sign of life, has declared to be at its end
// takes no more requests and stays until those it has are through; it does not count any longer.
class Http2Transport final : public Transport {
 public:
  // `plan`, `clock` and `stop` outlive the transport. Ignores SIGPIPE for the process, since
  // OpenSSL raises it.
  static Result<std::unique_ptr<Http2Transport>> open(const LoadPlan& plan, const Clock& clock,
                                                      const StopFlag& stop);
  ~Http2Transport() override;
  Http2Transport(const Http2Transport&) = delete;
  Http2Transport& operator=(const Http2Transport&) = delete;

  // False while all connections carry as many requests as the plan, or the peer, allows.
  bool can_start() const override { return in_flight_ < limit_; }
  void start(const Start& request) override;
  void poll(int64_t until_ns, CompletionHandler& handler) override;
  size_t in_flight() const override { return in_flight_; }
  void abandon_all() override;

 private:
  struct Stream;
  struct Connection;
  struct Failure;

  Http2Transport(const LoadPlan& plan, const Clock& clock);

  // Where requests go.
  Stream& free_stream();
  Connection* connection_with_room();
  Connection& fresh_connection();
  void place(Stream& s);
  void place_waiting();
  void submit(Stream& s, Connection& c);
  void join(Stream& s, Connection& c);
  void leave(Stream& s);
  void list(Connection& c);
  void learn_limit(Connection& c);
  void wind_down(Connection& c);
  void retire_if_done(Connection& c);

  // A connection's way. Each step goes as far as it can without waiting.
  void connect(Connection& c);
  void connected(Connection& c);
  void secure(Connection& c);
  void secured(Connection& c);
  void react(Connection& c, uint32_t events);
  void receive(Connection& c);
  void peer_closed(Connection& c);
  void flush(Connection& c);
  bool write_out(Connection& c);
  void will_flush(Connection& c);
  void flush_all();
  void settle(Connection& c);

  void fail_io(Connection& c, int os_errno);
  void fail_transfer(Connection& c);
  void fail_sending(Connection& c);
  void fail(Connection& c, const Failure& failure);
  void close(Connection& c);
  void retire(Connection& c);

  // A request's end.
  void try_again(Stream& s);
  void ended_by_peer(Stream& s);
  void end(Stream& s, ErrorClass error, std::string detail);
  void report(size_t count, CompletionHandler& handler);
  void finish(Stream& s, CompletionHandler& handler);
  void expire();

  const LoadPlan& plan_;
  const Origin origin_;
  const Clock& clock_;
  size_t limit_;  // of requests in flight
  TraceIds traces_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Addresses> addresses_;
  std::unique_ptr<TlsClient> tls_;                        // null over plain TCP
  RecycledMemory memory_;                                 // of the sessions
  std::vector<std::unique_ptr<Http2Request>> prepared_;   // by endpoint
  std::vector<std::unique_ptr<Connection>> connections_;  // those without a socket are unused_
  std::vector<Connection*> by_fd_;
  std::vector<Connection*> unused_;
  LeastLoaded<Connection> with_room_;
  size_t open_ = 0;                  // connections that count against the plan's number
  std::vector<Connection*> unsent_;  // with something to pack
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> free_;
  std::deque<Stream*> waiting_;  // for a connection with room
  Deadlines<Stream> deadlines_;  // of what is in flight
  size_t in_flight_ = 0;
  std::deque<Stream*> ended_;        // not yet reported
  std::vector<Descriptor> closing_;  // until the events at hand are done with
  std::vector<char> buffer_;         // what is being read
  std::string batch_;                // what is being written
  std::string timing_;               // of the completion being reported
  std::string detail_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP2_TRANSPORT_H_
