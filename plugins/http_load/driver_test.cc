#include "plugins/http_load/driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "plugins/http_load/plain_workload.h"

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
    flight_.push_back({request, t});
  }
  void poll(int64_t until_ns, CompletionHandler& handler) override {
    if (!flight_.empty() && flight_.front().second.finished_ns <= until_ns) {
      Completion c;
      c.status = 200;
      c.endpoint = flight_.front().first.endpoint;
      c.user = flight_.front().first.user;
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
  std::vector<std::pair<Start, Timeline>> flight_;
};

class NoSink final : public IntervalSink {
 public:
  void on_interval(const Interval&) override { ++intervals; }
  int intervals = 0;
};

struct LoadRun {
  explicit LoadRun(LoadPlan p, int64_t service_ns, int64_t end_ns, int64_t stop_at_ns = kNever,
                   Share share = {})
      : plan(std::move(p)),
        transport(clock, static_cast<size_t>(plan.connections), service_ns),
        stages{{PLUMB_STAGE_STEADY, "steady", 0, end_ns}},
        schedule(plan, stages),
        workload(plan),
        recorder(plan.requests, Intervals(stages), 0, sink) {
    for (Request& request : plan.requests) request.timeout_ns = plan.timeout_ns;
    Driver driver({plan, schedule, clock, transport, workload, recorder}, share,
                  [&, stop_at_ns] { return clock.now >= stop_at_ns; });
    driver.run();
  }
  const Totals& totals() const { return recorder.totals(); }

  LoadPlan plan;
  FakeClock clock;
  FakeTransport transport;
  std::vector<Stage> stages;
  LoadSchedule schedule;
  PlainWorkload workload;
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

TEST(Driver, WorkersShareOneScheduleAndItsHash) {
  const LoadRun alone(open_plan(300, 10), kMs, kS);
  std::vector<int64_t> intended;
  uint64_t hash = 0;
  for (uint32_t i = 0; i < 3; ++i) {
    const LoadRun part(open_plan(300, 10), kMs, kS, kNever, {i, 3});
    for (const Start& start : part.transport.started) intended.push_back(start.intended_ns);
    hash += part.totals().schedule_hash;
  }
  std::sort(intended.begin(), intended.end());
  ASSERT_EQ(intended.size(), 300u);
  for (size_t i = 0; i < intended.size(); ++i)
    EXPECT_EQ(intended[i], alone.transport.started[i].intended_ns);
  EXPECT_EQ(hash, alone.totals().schedule_hash);
}

TEST(Driver, TheHashTellsSeedsApart) {
  LoadPlan other = open_plan(300, 10);
  other.seed = 2;
  EXPECT_EQ(LoadRun(open_plan(300, 10), kMs, kS).totals().schedule_hash,
            LoadRun(open_plan(300, 10), 20 * kMs, kS).totals().schedule_hash);
  EXPECT_NE(LoadRun(open_plan(300, 10), kMs, kS).totals().schedule_hash,
            LoadRun(other, kMs, kS).totals().schedule_hash);
}

TEST(Driver, PacedUsersBeginAtTheirPaceUnlessTheyAreLate) {
  LoadPlan plan = closed_plan(1, 0);
  plan.pacing_ns = 50 * kMs;
  const LoadRun quick(plan, 10 * kMs, kS);
  EXPECT_EQ(quick.totals().scheduled, 20u);
  EXPECT_EQ(quick.transport.started[3].intended_ns, 150 * kMs);
  const LoadRun slow(plan, 80 * kMs, kS);
  EXPECT_EQ(slow.transport.started[3].intended_ns, 240 * kMs);
}

TEST(Driver, MixesUsersAndArrivals) {
  LoadPlan plan = closed_plan(2, 0);
  plan.stages = {{Model::kClosed, 2, 2}, {Model::kOpen, 100, 100}};
  plan.connections = 10;
  FakeClock clock;
  FakeTransport transport(clock, 10, 10 * kMs);
  const std::vector<Stage> stages = {{PLUMB_STAGE_STEADY, "users", 0, kS},
                                     {PLUMB_STAGE_STEADY, "rate", kS, 2 * kS}};
  const LoadSchedule schedule(plan, stages);
  PlainWorkload workload(plan);
  NoSink sink;
  Recorder recorder(plan.requests, Intervals(stages), 0, sink);
  Driver driver({plan, schedule, clock, transport, workload, recorder}, {}, [] { return false; });
  driver.run();
  EXPECT_EQ(recorder.totals().scheduled, 200u + 100u);
  EXPECT_EQ(recorder.totals().finished, 300u);
}

// Two steps, with a pause between them; every second iteration's first answer redirects.
class TwoSteps final : public Workload {
 public:
  Step begin(uint32_t, bool, uint64_t) override {
    redirect_ = ++iterations_ % 2 == 0;
    return {.endpoint = 0};
  }
  Next completed(Completion& completion) override {
    if (redirect_) {
      redirect_ = false;
      follow_ = true;
      return {Next::What::kFollow};
    }
    return completion.endpoint == 0 ? Next{Next::What::kStep, 5 * kMs} : Next{};
  }
  Step next(uint32_t) override { return {.endpoint = std::exchange(follow_, false) ? 0u : 1u}; }

 private:
  int iterations_ = 0;
  bool redirect_ = false;
  bool follow_ = false;
};

TEST(Driver, FollowsTheStepsOfAnIterationAndItsRedirects) {
  LoadPlan plan = closed_plan(1, 0);
  FakeClock clock;
  FakeTransport transport(clock, 1, 10 * kMs);
  const std::vector<Stage> stages = {{PLUMB_STAGE_STEADY, "steady", 0, 120 * kMs}};
  const LoadSchedule schedule(plan, stages);
  TwoSteps workload;
  NoSink sink;
  Recorder recorder(plan.requests, Intervals(stages), 0, sink);
  Driver driver({plan, schedule, clock, transport, workload, recorder}, {}, [] { return false; });
  driver.run();
  // 10 + 5 + 10 ms, then 10 + 10 + 5 + 10 ms, and again: 0, 15, 25, 50, 60, 75, 85, 110.
  std::vector<int64_t> intended;
  for (const Start& start : transport.started) intended.push_back(start.intended_ns / kMs);
  EXPECT_EQ(intended, (std::vector<int64_t>{0, 15, 25, 25, 50, 60, 75, 85, 85, 110}));
  EXPECT_EQ(recorder.totals().scheduled, 8u);
  EXPECT_EQ(recorder.totals().finished, 8u) << "a hop is no request of its own";
}

}  // namespace
}  // namespace plumb::http_load
