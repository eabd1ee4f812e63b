// Keeps the profiler's own cost within its budget: says when to sample less often. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_PACE_H_
#define PLUMB_PLUGINS_STACK_PROFILE_PACE_H_

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace plumb::stack_profile {

// Processor time that this thread has used until now.
inline double thread_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// Adds what this thread uses of the processor, from here to the end of the scope, to `seconds`.
class Meter {
 public:
  explicit Meter(double& seconds) : seconds_(seconds), before_(thread_cpu_seconds()) {}
  ~Meter() { seconds_ += thread_cpu_seconds() - before_; }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

 private:
  double& seconds_;
  double before_;
};

class Pace {
 public:
  // `budget` is the share of one core that profiling may cost.
  Pace(uint32_t frequency, double budget) : frequency_(frequency), budget_(budget) {}

  uint32_t frequency() const { return frequency_; }
  double share() const { return share_; }

  // Over the last `elapsed_s` seconds, watching cost `watching_s` seconds of processor time, and
  // naming `naming_s` of them. Naming a program's functions costs much once and little later, so
  // it is spread over what has elapsed in all, a minute at least. Gives the lower frequency to go
  // on with when the budget is exceeded.
  std::optional<uint32_t> spent(double watching_s, double naming_s, double elapsed_s) {
    if (!(elapsed_s > 0)) return std::nullopt;
    elapsed_in_all_s_ += elapsed_s;
    naming_in_all_s_ += naming_s;
    const double sampling = std::max(watching_s - naming_s, 0.0) / elapsed_s;
    const double naming = naming_in_all_s_ / std::max(elapsed_in_all_s_, kNamingSpread);
    share_ = sampling + naming;
    if (share_ <= budget_ || frequency_ <= kLeastFrequency) return std::nullopt;
    // What naming costs does not fall with the frequency; a fifth of what is left stays as reserve.
    const double left = std::max(budget_ - naming, budget_ * 0.1) * 0.8;
    const double factor = std::clamp(left / std::max(sampling, left), 0.1, 0.9);
    frequency_ = std::max(kLeastFrequency, static_cast<uint32_t>(frequency_ * factor));
    return frequency_;
  }

  static constexpr uint32_t kLeastFrequency = 7;

 private:
  static constexpr double kNamingSpread = 60;
  uint32_t frequency_;
  double budget_;
  double share_ = 0;
  double elapsed_in_all_s_ = 0;
  double naming_in_all_s_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_PACE_H_
