// The loop that makes load: takes iterations when they are due, sends their requests or lets them
// wait for a connection, and records how they end. Single-threaded; the clock, the transport and
// what users do are injected.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/clock.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/load_schedule.h"
#include "plugins/http_load/recorder.h"
#include "plugins/http_load/request_log.h"
#include "plugins/http_load/transport.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class Driver final : private CompletionHandler {
 public:
  // What a driver works with; all of it outlives the driver.
  struct Parts {
    const LoadPlan& plan;
    const LoadSchedule& schedule;
    const Clock& clock;
    Transport& transport;
    Workload& workload;
    Recorder& recorder;
    RequestLog::Writer* log = nullptr;
  };
  // Takes `share` of the schedule. `stop_requested` is asked once per turn of the loop.
  Driver(const Parts& parts, Share share, std::function<bool()> stop_requested);

  // Sends from the schedule's start until its end, then waits for what is in flight, for the
  // longest request timeout or 2 s, whichever is shorter; when stopped, it returns at once. What
  // has not ended by then stays counted as in flight. The last interval has been handed over on
  // return.
  void run();

 private:
  // What a user is at. A visitor of the open model takes the place of a user for one iteration.
  struct User {
    bool visitor = false;
    Step step;
    int64_t intended_ns = 0;
    int64_t queued_ns = 0;
  };
  struct Pause {
    int64_t due_ns;
    uint32_t user;
  };

  void on_completion(Completion& completion) override;
  int64_t next_due_ns() const;
  void take_due(int64_t now_ns);
  void take_arrival();
  void take_pause();
  void request(uint32_t user, const Step& step, int64_t due_ns);
  void start_waiting();
  void start(uint32_t user);
  void end_iteration(uint32_t user, int64_t at_ns);
  uint32_t place_for_visitor();
  void give_up_waiting();
  void drain(int64_t end_ns);

  const Parts parts_;
  const std::function<bool()> stop_requested_;
  const std::unique_ptr<Arrivals> arrivals_;
  const int64_t start_ns_;
  const int64_t end_ns_;
  size_t most_waiting_;
  bool issuing_ = false;
  std::vector<User> users_;
  std::vector<uint32_t> free_places_;  // of visitors
  std::deque<uint32_t> waiting_;       // users whose request is due, and no connection was free
  std::vector<Pause> pauses_;          // between two requests of an iteration; a heap
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_DRIVER_H_
