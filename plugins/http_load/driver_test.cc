#include "plugins/http_load/driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plumb::http_load {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kS = 1'000 * kMs;

class FakeClock final : public Clock {
 public:
  int64_t now_ns() const override { return now; }
  int64_t now = 0;
};

// Answers each request after `service_ns` of fake time, and moves the clock while it is polled.
class FakeTransport final : public Transport {
 public:
  FakeTransport(FakeClock& clock, size_t limit, int64_t service_ns)
      : clock_(clock), limit_(limit), service_ns_(service_ns) {}
  bool can_start() const override { return flight_.size() < limit_; }
  void start(const Start& request) override {
    ASSERT_TRUE(can_start());
    started.push_back(request);
    Timeline t;
    t.intended_ns = request.intended_ns;
    t.begun_ns = clock_.now;
    t.taken_ns = request.queued_ns != 0 ? request.queued_ns : t.begun_ns;
    t.sent_ns = t.begun_ns;
    t.finished_ns = clock_.now + service_ns_;
    t.first_byte_ns = t.finished_ns;
    t.was_sent = true;
    flight_.push_back({request.endpoint, t});
  }
  void poll(int64_t until_ns, CompletionHandler& handler) override {
    if (!flight_.empty() && flight_.front().second.finished_ns <= until_ns) {
      Completion c;
      c.status = 200;
      c.endpoint = flight_.front().first;
      c.times = flight_.front().second;
      flight_.erase(flight_.begin());
      clock_.now = std::max(clock_.now, c.times.finished_ns);
      phases.push_back(c.times.phases());
      handler.on_completion(c);
      return;
    }
    clock_.now = std::max(clock_.now, until_ns);
  }
  size_t in_flight() const override { return flight_.size(); }
  void abandon_all() override { flight_.clear(); }

  std::vector<Start> started;
  std::vector<std::array<int64_t, kPhases>> phases;

 private:
  FakeClock& clock_;
  size_t limit_;
  int64_t service_ns_;
  std::vector<std::pair<uint32_t, Timeline>> flight_;
};

class NoSink final : public IntervalSink {
 public:
  void on_interval(const Interval&) override { ++intervals; }
  int intervals = 0;
};

struct LoadRun {
  explicit LoadRun(LoadPlan p, int64_t service_ns, int64_t end_ns, int64_t stop_at_ns = kNever)
      : plan(std::move(p)),
        transport(clock, static_cast<size_t>(plan.connections), service_ns),
        stages{{PLUMB_STAGE_STEADY, "steady", 0, end_ns}},
        recorder(plan.requests, Intervals(stages), 0, sink) {
    Driver driver(plan, clock, transport, recorder, [&] { return clock.now >= stop_at_ns; });
    driver.run(0, end_ns);
  }
  const Totals& totals() const { return recorder.totals(); }

  LoadPlan plan;
  FakeClock clock;
  FakeTransport transport;
  std::vector<Stage> stages;
  NoSink sink;
  Recorder recorder;
};

LoadPlan plan_of(Model model, int64_t connections) {
  LoadPlan plan;
  plan.model = model;
  plan.connections = connections;
  plan.timeout_ns = 10 * kS;
  plan.requests.resize(2);
  plan.requests[0].name = "a";
  plan.requests[0].weight = 3;
  plan.requests[1].name = "b";
  return plan;
}

LoadPlan open_plan(double rate, int64_t connections) {
  LoadPlan plan = plan_of(Model::kOpen, connections);
  plan.rate = rate;
  return plan;
}

LoadPlan closed_plan(int64_t users, int64_t think_ns) {
  LoadPlan plan = plan_of(Model::kClosed, users);
  plan.users = users;
  plan.think_ns = think_ns;
  return plan;
}

TEST(Driver, OpenLoadStartsEachRequestAtItsInstant) {
  const LoadRun run(open_plan(100, 10), 3 * kMs, 2 * kS);
  ASSERT_EQ(run.transport.started.size(), 200u);
  for (size_t i = 0; i < 200; ++i)
    EXPECT_EQ(run.transport.started[i].intended_ns, static_cast<int64_t>(i) * 10 * kMs);
  for (const auto& p : run.transport.phases) EXPECT_EQ(p[kLag] + p[kQueue], 0);
  EXPECT_EQ(run.totals().scheduled, 200u);
  EXPECT_EQ(run.totals().finished, 200u);
  EXPECT_EQ(run.totals().shed, 0u);
}

TEST(Driver, OpenLoadQueuesForAConnectionAndCountsTheWaitFromTheIntendedStart) {
  // One connection, 20 ms each, one due each 10 ms: the queue grows by one each 20 ms.
  const LoadRun run(open_plan(100, 1), 20 * kMs, kS);
  EXPECT_EQ(run.totals().scheduled, 100u);
  EXPECT_EQ(run.totals().started, 50u);
  EXPECT_EQ(run.totals().shed, 50u) << "what still waits at the end is given up";
  EXPECT_EQ(run.totals().finished, 50u);
  EXPECT_EQ(run.transport.phases[0][kQueue], 0);
  EXPECT_EQ(run.transport.phases[1][kQueue], 10 * kMs);
  EXPECT_EQ(run.transport.phases[10][kQueue], 100 * kMs);
  EXPECT_EQ(run.transport.phases[10][kLag], 0);
}

TEST(Driver, OpenLoadShedsBeyondItsBacklog) {
  // Nothing ever ends within 20 s: ten seconds of the schedule wait, the rest is shed.
  const LoadRun run(open_plan(1'000, 5), 100 * kS, 20 * kS);
  EXPECT_EQ(run.totals().scheduled, 20'000u);
  EXPECT_EQ(run.totals().started, 5u);
  EXPECT_EQ(run.totals().shed, 19'995u);
  EXPECT_EQ(run.totals().finished, 0u);
}

TEST(Driver, ClosedUsersThinkAfterEachAnswer) {
  const LoadRun run(closed_plan(2, 5 * kMs), 15 * kMs, kS);
  ASSERT_EQ(run.totals().scheduled, 100u);
  EXPECT_EQ(run.totals().finished, 100u);
  EXPECT_EQ(run.transport.started[2].intended_ns, 20 * kMs);
  for (const auto& p : run.transport.phases) EXPECT_EQ(p[kLag] + p[kQueue], 0);
}

TEST(Driver, WaitsForWhatIsInFlightButNotForEver) {
  const LoadRun soon(closed_plan(1, 0), 1'500 * kMs, kS);
  EXPECT_EQ(soon.totals().finished, 1u);
  EXPECT_EQ(soon.clock.now, 1'500 * kMs);
  const LoadRun never(closed_plan(1, 0), 100 * kS, kS);
  EXPECT_EQ(never.totals().started, 1u);
  EXPECT_EQ(never.totals().finished, 0u) << "outstanding";
  EXPECT_EQ(never.clock.now, 3 * kS);
  LoadPlan impatient = closed_plan(1, 0);
  impatient.timeout_ns = 100 * kMs;
  EXPECT_EQ(LoadRun(impatient, 100 * kS, kS).clock.now, 1'100 * kMs);
}

TEST(Driver, StopsAtOnceWhenAskedAndHandsOverThePartialInterval) {
  const LoadRun run(closed_plan(3, 0), 10 * kMs, 100 * kS, 1'234 * kMs);
  EXPECT_LE(run.clock.now, 1'250 * kMs);
  EXPECT_EQ(run.sink.intervals, 2);
  EXPECT_EQ(run.totals().started - run.totals().finished, 3u);
}

TEST(Driver, EveryScheduledRequestIsAccountedFor) {
  for (const double rate : {7.0, 333.0, 1'000.0}) {
    for (const int64_t service_ms : {1, 9, 250, 5'000}) {
      const LoadRun run(open_plan(rate, 3), service_ms * kMs, 3 * kS);
      const Totals& t = run.totals();
      EXPECT_EQ(t.scheduled, t.started + t.shed);
      EXPECT_LE(t.finished, t.started);
      EXPECT_NEAR(static_cast<double>(t.scheduled), rate * 3, 1);
    }
  }
}

TEST(Driver, ChoosesTheSameRequestsForTheSameSeed) {
  const LoadRun one(open_plan(500, 10), kMs, kS);
  const LoadRun two(open_plan(500, 1), 50 * kMs, kS);
  ASSERT_GE(two.transport.started.size(), 20u);
  for (size_t i = 0; i < two.transport.started.size(); ++i) {
    EXPECT_EQ(one.transport.started[i].endpoint, two.transport.started[i].endpoint);
    EXPECT_EQ(one.transport.started[i].intended_ns, two.transport.started[i].intended_ns);
  }
}

}  // namespace
}  // namespace plumb::http_load
