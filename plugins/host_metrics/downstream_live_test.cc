// How long the target waits for its peers, as seen from outside, against what it measured itself:
// real connections over loopback, one call at a time or a hundred, on connections that are used
// again at once, after a pause, or for one call only.
#include <gtest/gtest.h>

#include <cmath>
#include <iomanip>
#include <iostream>

#include "plugins/host_metrics/delayed_calls.h"
#include "plugins/host_metrics/live_watch.h"

namespace plumb::host_metrics {
namespace {

using std::chrono::milliseconds;

enum class Use { kBackToBack, kWithPauses, kFresh };

struct Case {
  int delay_ms;
  int concurrency;
};

struct Seen {
  Case made;
  double truth = 0, best = 0, low = 0, high = 0;
  double sampling_error = 0;  // three standard errors of the mean of the seconds' means
};

double mean_of(const std::vector<RecordingHost::Point>& points, int64_t from, int64_t to) {
  double sum = 0;
  int n = 0;
  for (const auto& p : points) {
    if (p.time_ns <= from || p.time_ns > to) continue;
    sum += p.value;
    ++n;
  }
  return n > 0 ? sum / n : -1;
}

double three_standard_errors(const std::vector<RecordingHost::Point>& points, int64_t from,
                             int64_t to, double mean) {
  double squares = 0;
  int n = 0;
  for (const auto& p : points) {
    if (p.time_ns <= from || p.time_ns > to) continue;
    squares += (p.value - mean) * (p.value - mean);
    ++n;
  }
  return n > 1 ? 3 * std::sqrt(squares / (n - 1) / n) : 0;
}

// All cases at once, each against a server port of its own.
std::vector<Seen> watch_calls(const std::vector<Case>& cases, Use use) {
  std::vector<std::pair<int, int64_t>> listeners;
  std::vector<CallPlan> plans;
  for (const Case& c : cases) {
    CallPlan plan;
    const int listener = listen_on_free_port(plan.address);
    EXPECT_GE(listener, 0);
    const int64_t delay = int64_t{1'000'000} * c.delay_ms;
    listeners.emplace_back(listener, delay);
    plan.concurrency = c.concurrency;
    plan.fresh = use == Use::kFresh;
    plan.pause_ns = use == Use::kWithPauses ? delay : 0;
    plans.push_back(plan);
  }
  CallTruth* truths = shared_truths(cases.size());
  const Child server([&] { serve_delayed(listeners); });
  const Child caller([&] {
    for (const auto& [listener, delay] : listeners) ::close(listener);
    call_forever(plans, truths);
  });
  for (const auto& [listener, delay] : listeners) ::close(listener);

  Watch watch(caller.selector());
  watch.collect_for(milliseconds(2200));  // what is learned of the peers is learned here
  const int64_t from = call_clock_ns();
  std::vector<int64_t> before;
  for (size_t i = 0; i < cases.size(); ++i) before.push_back(truths[i].waited_ns(from));
  watch.collect_for(milliseconds(6000));
  const int64_t to = call_clock_ns();

  std::vector<Seen> out;
  EXPECT_EQ(watch.host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << watch.host.health_message;
  for (size_t i = 0; i < cases.size(); ++i) {
    Seen seen{cases[i]};
    seen.truth =
        static_cast<double>(truths[i].waited_ns(to) - before[i]) / static_cast<double>(to - from);
    const std::string peer =
        "{peer=127.0.0.1:" + std::to_string(ntohs(plans[i].address.sin_port)) + "}";
    const auto& best = watch.host.series("downstream_awaiting" + peer);
    seen.best = mean_of(best, from, to);
    seen.low = mean_of(watch.host.series("downstream_awaiting_low" + peer), from, to);
    seen.high = mean_of(watch.host.series("downstream_awaiting_high" + peer), from, to);
    seen.sampling_error = three_standard_errors(best, from, to, seen.best);
    std::cout << std::fixed << std::setprecision(2) << std::setw(4) << cases[i].delay_ms << " ms x "
              << std::setw(3) << cases[i].concurrency << "  true " << std::setw(7) << seen.truth
              << "  best " << std::setw(7) << seen.best << "  low " << std::setw(7) << seen.low
              << "  high " << std::setw(7) << seen.high << "  +- " << seen.sampling_error << "  "
              << truths[i].calls() << " calls\n";
    out.push_back(seen);
  }
  return out;
}

const std::vector<Case> kSlow = {{20, 1}, {20, 10}, {20, 100}, {200, 1}, {200, 10}, {200, 100}};
const std::vector<Case> kFast = {{2, 1}, {2, 10}};
const std::vector<Case> kFastAndMany = {{2, 100}};

void expect_near(const std::vector<Seen>& all) {
  for (const Seen& s : all) {
    // The looks are few where one call goes at a time: their own error is no error of the method.
    const double allowed = std::max(0.15 * s.truth, s.sampling_error);
    EXPECT_NEAR(s.best, s.truth, allowed) << s.made.delay_ms << " ms x " << s.made.concurrency;
    EXPECT_LE(s.low, s.best);
    EXPECT_GE(s.high, s.best);
  }
}

void expect_inside(const std::vector<Seen>& all) {
  for (const Seen& s : all) {
    EXPECT_LE(s.low, s.truth) << s.made.delay_ms << " ms x " << s.made.concurrency;
    EXPECT_GE(s.high, s.truth) << s.made.delay_ms << " ms x " << s.made.concurrency;
  }
}

TEST(DownstreamLive, ConnectionsUsedAgainAtOnce) {
  expect_near(watch_calls(kSlow, Use::kBackToBack));
}
TEST(DownstreamLive, ConnectionsUsedAgainAfterAPause) {
  expect_near(watch_calls(kSlow, Use::kWithPauses));
}
TEST(DownstreamLive, AConnectionForEveryCall) { expect_near(watch_calls(kSlow, Use::kFresh)); }

TEST(DownstreamLive, BelowTheClocksTickTheIntervalHoldsTheTruth) {
  expect_inside(watch_calls(kFast, Use::kBackToBack));
  expect_inside(watch_calls(kFast, Use::kWithPauses));
  expect_inside(watch_calls(kFast, Use::kFresh));
}
TEST(DownstreamLive, BelowTheClocksTickAHundredCallsAtOnce) {
  expect_inside(watch_calls(kFastAndMany, Use::kBackToBack));
  expect_inside(watch_calls(kFastAndMany, Use::kWithPauses));
  expect_inside(watch_calls(kFastAndMany, Use::kFresh));
}

}  // namespace
}  // namespace plumb::host_metrics
