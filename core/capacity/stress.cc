#include "core/capacity/stress.h"

#include <utility>

namespace plumb::capacity {
namespace {

constexpr double kStepUp = 1.5;
constexpr double kHighest = 10;         // times the capacity
constexpr double kMostFailed = 0.5;     // of the requests
constexpr double kCollapsed = 0.9;      // of the peak
constexpr double kRecoveryShare = 0.5;  // of the capacity
constexpr double kRecoverySeconds = 30;
constexpr double kStressOverhead = 4;    // seconds that an overloaded probe takes beside its load
constexpr uint64_t kStressSeed = 1'000;  // apart from those of the search

class Stress {
 public:
  Stress(Prober& prober, const SearchResult& found, double most_s, const SearchOptions& options,
         SearchObserver& observer, const std::function<double()>& seconds_now, std::stop_token stop)
      : prober_(prober),
        capacity_(found.capacity->rate),
        options_(options),
        observer_(observer),
        seconds_now_(seconds_now),
        stop_(std::move(stop)),
        until_(seconds_now() + most_s) {
    for (const Probe& probe : found.probes) note_peak(probe);
  }

  StressResult run() {
    for (double rate = capacity_ * kStepUp; rate <= capacity_ * kHighest; rate *= kStepUp)
      if (!step(rate)) break;
    if (result_.breaking != Breaking::kStopped && !result_.probes.empty()) recover();
    return std::move(result_);
  }

 private:
  bool stopped(Status failure) {
    result_.breaking = Breaking::kStopped;
    if (!stop_.stop_requested()) result_.failure = std::move(failure);
    return false;
  }

  bool broken(Breaking how, double rate) {
    result_.breaking = how;
    result_.broke_at = rate;
    return false;
  }

  // False when the climb is over.
  bool step(double rate) {
    ProbeRequest request = probe_at(rate, options_, Depth::kUsual);
    const size_t number = result_.probes.size() + 1;
    request.seed = options_.seed + kStressSeed + number;
    if (stop_.stop_requested() ||
        seconds_now_() + request.warmup_s + request.measure_s + kStressOverhead > until_)
      return stopped({});
    observer_.on_begin(number, request, 0, 0);
    Result<Probe> done = prober_.probe(request, stop_);
    if (!done.is_ok()) return stopped(done.status());
    result_.probes.push_back(*done);
    observer_.on_end(number, *done, 0, 0);
    if (done->verdict == ProbeVerdict::kGeneratorLimited) {
      result_.breaking = Breaking::kGenerator;
      return false;
    }
    if (done->error_rate > kMostFailed) return broken(Breaking::kErrors, rate);
    if (done->answered < kCollapsed * result_.peak) return broken(Breaking::kCollapse, rate);
    note_peak(*done);
    return true;
  }

  void note_peak(const Probe& probe) {
    if (probe.answered <= result_.peak) return;
    result_.peak = probe.answered;
    result_.peak_at = probe.rate;
  }

  void recover() {
    if (stop_.stop_requested() || seconds_now_() + kRecoverySeconds + kStressOverhead > until_)
      return;
    observer_.on_phase("half of the capacity again: does it recover?");
    result_.recovery_rate = kRecoveryShare * capacity_;
    Result<Recovery> found = prober_.recover(result_.recovery_rate, kRecoverySeconds, stop_);
    if (found.is_ok())
      result_.recovery = *found;
    else if (!stop_.stop_requested())
      result_.failure = found.status();
  }

  Prober& prober_;
  const double capacity_;
  const SearchOptions& options_;
  SearchObserver& observer_;
  const std::function<double()>& seconds_now_;
  const std::stop_token stop_;
  const double until_;
  StressResult result_;
};

}  // namespace

std::string_view breaking_name(Breaking breaking) {
  switch (breaking) {
    case Breaking::kErrors:
      return "errors";
    case Breaking::kCollapse:
      return "collapse";
    case Breaking::kGenerator:
      return "generator";
    case Breaking::kNone:
      return "none";
    case Breaking::kStopped:
      return "stopped";
  }
  return "stopped";
}

StressResult stress(Prober& prober, const SearchResult& found, double most_s,
                    const SearchOptions& options, SearchObserver& observer,
                    const std::function<double()>& seconds_now, std::stop_token stop) {
  return Stress(prober, found, most_s, options, observer, seconds_now, std::move(stop)).run();
}

}  // namespace plumb::capacity
