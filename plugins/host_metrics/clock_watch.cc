#include "plugins/host_metrics/clock_watch.h"

#include <time.h>

namespace plumb::host_metrics {

namespace {

// Slewing moves a clock by 0.5 ms a second at most, unless adjtime(3) was told otherwise.
constexpr int64_t kLeastStepNs = 20'000'000;
constexpr int64_t kOneInstantNs = 1'000'000;
constexpr int kAttempts = 3;

int64_t read_clock(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

std::optional<int64_t> ClockWatch::system_offset() {
  for (int i = 0; i < kAttempts; ++i) {
    const int64_t before = read_clock(CLOCK_MONOTONIC);
    const int64_t wall = read_clock(CLOCK_REALTIME);
    const int64_t after = read_clock(CLOCK_MONOTONIC);
    // Interrupted in between, the two would seem to have drifted.
    if (after - before < kOneInstantNs) return wall - before;
  }
  return std::nullopt;
}

std::optional<int64_t> ClockWatch::look() {
  const auto now = offset_();
  if (!now) return std::nullopt;
  const auto before = last_;
  last_ = now;
  if (!before) return std::nullopt;
  int64_t step = 0;
  if (__builtin_sub_overflow(*now, *before, &step)) step = *now > *before ? INT64_MAX : -INT64_MAX;
  if (step < kLeastStepNs && step > -kLeastStepNs) return std::nullopt;
  ++steps_;
  return step;
}

}  // namespace plumb::host_metrics
