// A target for tests that no socket is needed for: c workers with random service times behind one
// queue, loaded by random arrivals on a clock of its own.
#ifndef PLUMB_CORE_CAPACITY_SIMULATED_SERVER_FOR_TESTS_H_
#define PLUMB_CORE_CAPACITY_SIMULATED_SERVER_FOR_TESTS_H_

#include <functional>
#include <random>
#include <vector>

#include "core/capacity/probe.h"
#include "core/capacity/search.h"

namespace plumb::capacity {

struct SimulatedTarget {
  int workers = 1;
  double service_s = 0.01;       // mean
  bool random_service = true;    // exponential, else constant
  bool random_arrivals = true;   // Poisson, else evenly spaced
  double p99_limit_s = 1e9;      // promised
  size_t queue = 1'000'000'000;  // requests beyond which one fails at once
  double generator_rate = 1e9;   // the most that the generator can make
  double disturbed = 0;          // share of probes in which the target stalls for a second
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

  Result<Baseline> baseline(std::stop_token stop) override;
  Result<Probe> probe(const ProbeRequest& request, std::stop_token stop) override;
  Status settle(std::stop_token stop) override;
  Result<Recovery> recover(double rate, double most_s, std::stop_token stop) override;

 private:
  struct Seen {
    double due = 0;
    double ended = 0;
    double failed = 0;
    bool left = false;
    std::vector<double> times;
  };

  double exponential(double mean);
  Seen simulate(const ProbeRequest& request);
  Probe judged(const ProbeRequest& request, Seen seen) const;

  const SimulatedTarget target_;
  std::mt19937_64 random_;
  Baseline baseline_;
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
