#include "core/capacity/simulated_server_for_tests.h"

#include <algorithm>
#include <cmath>
#include <queue>
#include <utility>

namespace plumb::capacity {

Result<Baseline> SimulatedServer::baseline(std::stop_token) {
  seconds_ += 2.5;
  const double p99 =
      target_.random_service ? target_.service_s * std::log(100.0) : target_.service_s;
  const double p50 = target_.service_s * (target_.random_service ? std::log(2.0) : 1);
  baseline_ = {target_.service_s, p50, p99};
  return baseline_;
}

Result<Probe> SimulatedServer::probe(const ProbeRequest& request, std::stop_token) {
  if (on_probe) on_probe(++probes_);
  if (!failure.is_ok()) return failure;
  seconds_ += request.warmup_s + request.measure_s + 0.7;
  return judged(request, simulate(request));
}

Status SimulatedServer::settle(std::stop_token) {
  ++settled_;
  seconds_ += 1;
  return Status::ok();
}

Result<Recovery> SimulatedServer::recover(double, double most_s, std::stop_token) {
  seconds_ += most_s;
  return recovery;
}

double SimulatedServer::exponential(double mean) {
  return std::exponential_distribution<>(1 / mean)(random_);
}

SimulatedServer::Seen SimulatedServer::simulate(const ProbeRequest& request) {
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

Probe SimulatedServer::judged(const ProbeRequest& request, Seen seen) const {
  Probe out;
  out.rate = request.rate;
  out.measure_s = request.measure_s;
  out.offered = seen.due / request.measure_s;
  out.completed = seen.ended / request.measure_s;
  out.answered = (seen.ended - seen.failed) / request.measure_s;
  out.error_rate = seen.ended > 0 ? seen.failed / seen.ended : 0;
  out.drained = !seen.left;
  out.behind = falls_behind(
      {seen.due, seen.ended, request.rate * target_.service_s, target_.random_arrivals});
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
  out.spent = request.rate > target_.generator_rate;
  if (out.spent) out.verdict = ProbeVerdict::kGeneratorLimited;
  if (seen.due < 30) out.verdict = ProbeVerdict::kInsufficient;
  note_hiccup(out, baseline_);
  return out;
}

}  // namespace plumb::capacity
