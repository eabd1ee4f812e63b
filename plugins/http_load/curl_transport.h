// Transport over libcurl's multi interface: multi_socket_action on one epoll loop, HTTP/1.1 with
// keep-alive, one request per connection at a time.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_CURL_TRANSPORT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_CURL_TRANSPORT_H_

#include <curl/curl.h>

#include <deque>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "plugins/http_load/clock.h"
#include "plugins/http_load/curl_request.h"
#include "plugins/http_load/deadlines.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/poller.h"
#include "plugins/http_load/trace_ids.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class CurlTransport final : public Transport {
 public:
  // `plan`, `clock` and `stop` outlive the transport. Ignores SIGPIPE for the process, since
  // OpenSSL raises it.
  static Result<std::unique_ptr<CurlTransport>> open(const LoadPlan& plan, const Clock& clock,
                                                     const StopFlag& stop);
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  bool can_start() const override { return in_flight_ < limit_; }
  void start(const Start& request) override;
  void poll(int64_t until_ns, CompletionHandler& handler) override;
  size_t in_flight() const override { return in_flight_; }
  void abandon_all() override;

 private:
  struct Slot;
  struct Ended {
    Slot* slot;
    CURLcode code;
    int64_t at_ns;
  };

  CurlTransport(const LoadPlan& plan, const Clock& clock);
  Status prepare();
  Status set_multi_options();
  Slot* free_slot();
  void set_fixed_options(Slot& slot);
  CURLcode set_request_options(Slot& slot);
  void release(Slot& slot);
  void run_timers();
  void act(curl_socket_t fd, int what);
  void report(size_t count, CompletionHandler& handler);
  void finish(const Ended& ended, CompletionHandler& handler);
  void expire(CompletionHandler& handler);
  std::string describe(const Slot& slot, CURLcode code, const Timeline& times) const;

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t on_open(void* slot, curlsocktype purpose, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t fd);
  static int on_request(void* slot, char* peer, char* local, int peer_port, int local_port);
  static size_t on_header(char* data, size_t size, size_t count, void* slot);
  static size_t on_body(char* data, size_t size, size_t count, void* slot);

  const LoadPlan& plan_;
  const Clock& clock_;
  std::unique_ptr<Poller> poller_;
  CURLM* multi_ = nullptr;
  size_t limit_;
  size_t in_flight_ = 0;
  TraceIds traces_;
  std::vector<std::unique_ptr<CurlRequest>> prepared_;  // by endpoint
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;
  Deadlines<Slot> deadlines_;  // of what is in flight
  int64_t timer_ns_;           // when libcurl wants to be called
  std::deque<Ended> ended_;    // not yet reported
  std::string timing_;         // of the completion being reported
  std::string detail_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_CURL_TRANSPORT_H_
