// Loaded by hot_target in the midst of a run.
#include <time.h>

#include <cstdint>

extern "C" __attribute__((noinline, visibility("default"))) uint64_t late_grind(uint64_t rounds) {
  static volatile uint64_t sink = 0;
  uint64_t x = 88172645463325252ull + sink;
  for (uint64_t i = 0; i < rounds; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  sink = x;
  return x;
}

extern "C" __attribute__((visibility("default"))) void late_arrival(double seconds) {
  timespec begin{};
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &begin);
  do {
    late_grind(300'000);
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  } while (static_cast<double>(now.tv_sec - begin.tv_sec) < seconds);
}
