// The loop that makes load: takes requests when they are due, sends or queues them, and records
// how they end. Single-threaded; the clock and the transport are injected.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/clock.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/recorder.h"
#include "plugins/http_load/request_mix.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

class Driver final : private CompletionHandler {
 public:
  // Everything given outlives the driver. `stop_requested` is asked once per turn of the loop.
  Driver(const LoadPlan& plan, const Clock& clock, Transport& transport, Recorder& recorder,
         std::function<bool()> stop_requested);

  // Sends from `start_ns` on until `end_ns`, then waits for what is in flight, for the request
  // timeout or 2 s, whichever is shorter; when stopped, it returns at once. What has not ended by
  // then stays counted as in flight. The last interval has been handed over on return.
  void run(int64_t start_ns, int64_t end_ns);

 private:
  struct Waiting {
    uint32_t endpoint;
    int64_t intended_ns;
    int64_t queued_ns;
  };

  void on_completion(const Completion& completion) override;
  void take_due(int64_t now_ns);
  void start_waiting();
  void start(const Start& request);
  void give_up_waiting();
  void drain(int64_t end_ns);

  const LoadPlan& plan_;
  const Clock& clock_;
  Transport& transport_;
  Recorder& recorder_;
  std::function<bool()> stop_requested_;
  RequestMix mix_;
  size_t most_waiting_;
  std::unique_ptr<Arrivals> arrivals_;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  bool issuing_ = false;
  std::deque<Waiting> waiting_;  // due, and no connection was free
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_
