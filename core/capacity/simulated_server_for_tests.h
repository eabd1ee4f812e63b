// A target for tests that no socket is needed for: c workers with random service times behind one
// queue, loaded by random arrivals on a clock of its own.
#ifndef PLUMB_CORE_CAPACITY_SIMULATED_SERVER_FOR_TESTS_H_
#define PLUMB_CORE_CAPACITY_SIMULATED_SERVER_FOR_TESTS_H_

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "core/capacity/probe.h"
#include "core/capacity/search.h"

namespace plumb::capacity {

struct SimulatedTarget {
  int workers = 1;
  double service_s = 0.01;         // mean
  bool random_service = true;      // exponential, else constant
  bool random_arrivals = true;     // Poisson, else evenly spaced
  double p99_limit_s = 1e9;        // promised
  size_t queue = 1'000'000'000;    // requests beyond which one fails at once
  double generator_rate = 1e9;     // the most that the generator can make
  double disturbed = 0;            // share of probes in which the target stalls for a second
  double capacity() const { return workers / service_s; }
};

// Each probe begins with an empty queue.
class SimulatedServer final : public Prober {
 public:
  SimulatedServer(const SimulatedTarget& target, uint64_t seed) : target_(target), random_(seed) {}

  double seconds() const { return seconds_; }
  std::function<double()> clock() const {
    return [this] { return seconds_; };
  }
  int settled() const { return settled_; }
  // Called at the start of each probe.
  std::function<void(size_t number)> on_probe = {};
  Status failure = {};  // of the next probe
  Recovery recovery = {true, 2};

  Result<Baseline> baseline(std::stop_token) override {
    seconds_ += 2.5;
    const double p99 = target_.random_service ? target_.service_s * std::log(100.0)
                                              : target_.service_s;
    return Baseline{target_.service_s, target_.service_s, p99};
  }

  Result<Probe> probe(const ProbeRequest& request, std::stop_token) override {
    if (on_probe) on_probe(++probes_);
    if (!failure.is_ok()) return failure;
    seconds_ += request.warmup_s + request.measure_s + 0.7;
    return judged(request, simulate(request));
  }

  Status settle(std::stop_token) override {
    ++settled_;
    seconds_ += 1;
    return Status::ok();
  }

  Result<Recovery> recover(double, double most_s, std::stop_token) override {
    seconds_ += most_s;
    return recovery;
  }

 private:
  struct Seen {
    double due = 0;
    double ended = 0;
    double failed = 0;
    bool left = false;
    std::vector<double> times;
  };

  double exponential(double mean) { return std::exponential_distribution<>(1 / mean)(random_); }

  Seen simulate(const ProbeRequest& request) {
    Seen seen;
    const double end = request.warmup_s + request.measure_s;
    const double stall = std::bernoulli_distribution(target_.disturbed)(random_)
                             ? request.warmup_s + request.measure_s / 3
                             : -1;
    // When each worker is free again, and when each request that waits or is worked on ends.
    std::priority_queue<double, std::vector<double>, std::greater<>> free;
    std::priority_queue<double, std::vector<double>, std::greater<>> inside;
    for (int i = 0; i < target_.workers; ++i) free.push(0);
    const double gap = 1 / std::min(request.rate, target_.generator_rate);
    for (double t = gap; t < end; t += target_.random_arrivals ? exponential(gap) : gap) {
      const bool measured = t >= request.warmup_s;
      seen.due += measured ? 1 : 0;
      while (!inside.empty() && inside.top() <= t) inside.pop();
      if (inside.size() >= target_.queue + static_cast<size_t>(target_.workers)) {
        seen.ended += measured ? 1 : 0;
        seen.failed += measured ? 1 : 0;
        continue;
      }
      double begin = std::max(t, free.top());
      if (stall >= 0 && begin >= stall && begin < stall + 1) begin = stall + 1;
      const double done =
          begin + (target_.random_service ? exponential(target_.service_s) : target_.service_s);
      free.pop();
      free.push(done);
      inside.push(done);
      if (done >= request.warmup_s && done < end) {
        seen.ended += 1;
        seen.times.push_back(done - t);
      }
      seen.left = seen.left || done >= end + 2;
    }
    return seen;
  }

  Probe judged(const ProbeRequest& request, Seen seen) const {
    Probe out;
    out.rate = request.rate;
    out.measure_s = request.measure_s;
    out.offered = seen.due / request.measure_s;
    out.completed = seen.ended / request.measure_s;
    out.answered = (seen.ended - seen.failed) / request.measure_s;
    out.error_rate = seen.ended > 0 ? seen.failed / seen.ended : 0;
    out.drained = !seen.left;
    out.behind = falls_behind(seen.due, seen.ended);
    std::sort(seen.times.begin(), seen.times.end());
    const auto quantile = [&](double q) {
      return seen.times[static_cast<size_t>(q * static_cast<double>(seen.times.size() - 1))];
    };
    if (!seen.times.empty()) {
      out.p50_s = quantile(0.5);
      out.p95_s = quantile(0.95);
      out.p99_s = quantile(0.99);
    }
    out.verdict = ProbeVerdict::kKept;
    if (out.behind) out.clause = "backlog";
    if (out.error_rate > 0.01) out.clause = "error_rate";
    if (out.p99_s.value_or(0) > target_.p99_limit_s) out.clause = "p99";
    if (!out.clause.empty()) {
      out.verdict = ProbeVerdict::kMissed;
      out.why = "It missed " + out.clause + ".";
    }
    if (request.rate > target_.generator_rate) out.verdict = ProbeVerdict::kGeneratorLimited;
    if (seen.due < 30) out.verdict = ProbeVerdict::kInsufficient;
    return out;
  }

  const SimulatedTarget target_;
  std::mt19937_64 random_;
  double seconds_ = 0;
  size_t probes_ = 0;
  int settled_ = 0;
};

// Listens to nobody.
class NoObserver final : public SearchObserver {
 public:
  void on_begin(size_t, const ProbeRequest&, double, double) override {}
  void on_end(size_t, const Probe&, double, double) override {}
  void on_phase(const std::string&) override {}
};

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_SIMULATED_SERVER_FOR_TESTS_H_
