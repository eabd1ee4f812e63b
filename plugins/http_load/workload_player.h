// Plays a workload over the real transport, for tests: so many users, each iteration after the one
// before it, without any schedule.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_PLAYER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_PLAYER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/http_load/collecting_host.h"
#include "plugins/http_load/http1_transport.h"
#include "plugins/http_load/random.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class MonotonicClock final : public Clock {
 public:
  int64_t now_ns() const override { return monotonic_ns(); }
};

// A plan for `users` users, each with a connection, from the load section of a plan's document.
inline Result<LoadPlan> rpc_plan(const std::string& url, nlohmann::json load, int users = 1) {
  load["model"] = "closed";
  load["users"] = users;
  if (!load.contains("timeout_ns")) load["timeout_ns"] = 5'000'000'000;
  return parse_load_plan(
      nlohmann::json{{"run", {{"id", "r"}}}, {"target", {{"url", url}}}, {"load", load}}.dump(), 0);
}

class WorkloadPlayer final : private CompletionHandler {
 public:
  struct Done {
    std::string endpoint;
    int status;
    ErrorClass error;
    std::string detail;
    Timeline times;
    int64_t first_event_ns;
  };

  // `plan` has its endpoints and, as `workload`, outlives the player.
  WorkloadPlayer(const LoadPlan& plan, Workload& workload) : plan_(plan), workload_(workload) {
    auto transport = Http1Transport::open(plan, clock_, stop_);
    EXPECT_TRUE(transport.is_ok()) << transport.status().message();
    transport_ = std::move(transport).value();
  }

  // Until `iterations` have ended.
  void play(uint64_t iterations) {
    to_begin_ = iterations;
    for (uint32_t user = 0; user < static_cast<uint32_t>(plan_.users); ++user) begin(user);
    const int64_t until_ns = clock_.now_ns() + 60'000'000'000;
    while (transport_->in_flight() > 0 && clock_.now_ns() < until_ns)
      transport_->poll(until_ns, *this);
    EXPECT_EQ(transport_->in_flight(), 0u) << "a minute was not enough";
  }

  std::map<std::string, int> counts() const {
    std::map<std::string, int> out;
    for (const Done& one : done) ++out[one.endpoint];
    return out;
  }
  const Done& first(const std::string& endpoint) const {
    const auto at = std::find_if(done.begin(), done.end(),
                                 [&](const Done& one) { return one.endpoint == endpoint; });
    EXPECT_NE(at, done.end()) << endpoint;
    static const Done kNothing{};
    return at == done.end() ? kNothing : *at;
  }

  std::vector<Done> done;
  uint64_t connections = 0;
  // Sees each completion once the workload has judged it.
  std::function<void(const Completion&)> on_done;

 private:
  void begin(uint32_t user) {
    if (to_begin_ == 0) return;
    --to_begin_;
    start(user, workload_.begin(user, false, draws_.next()));
  }
  void start(uint32_t user, const Step& step) {
    transport_->start({.endpoint = step.endpoint,
                       .intended_ns = clock_.now_ns(),
                       .queued_ns = 0,
                       .user = user,
                       .message = step.message,
                       .sink = step.sink});
  }
  void on_completion(Completion& judged) override {
    const Next next = workload_.completed(judged);
    connections += judged.connections_opened;
    if (on_done) on_done(judged);
    done.push_back({plan_.requests[judged.endpoint].name, judged.status, judged.error,
                    std::string(judged.detail), judged.times, judged.first_event_ns});
    if (next.what == Next::What::kStep) return start(judged.user, workload_.next(judged.user));
    begin(judged.user);
  }

  const LoadPlan& plan_;
  Workload& workload_;
  MonotonicClock clock_;
  StopFlag stop_;
  std::unique_ptr<Transport> transport_;
  Random draws_{plan_.seed};
  uint64_t to_begin_ = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_WORKLOAD_PLAYER_H_
