// The clock that every signal is stamped with: nanoseconds of CLOCK_MONOTONIC.
#ifndef PLUMB_CORE_BASE_CLOCK_H_
#define PLUMB_CORE_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace plumb {

inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The same instant as a time point to wait for.
inline std::chrono::steady_clock::time_point time_point_of(int64_t time_ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time_ns));
}

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_CLOCK_H_
