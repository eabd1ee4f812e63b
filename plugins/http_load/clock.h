// The monotonic clock, injected so that tests can move it.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_CLOCK_H_
#define PLUMB_PLUGINS_HTTP_LOAD_CLOCK_H_

#include <cstdint>

namespace plumb::http_load {

constexpr int64_t kSecond = 1'000'000'000;  // in nanoseconds

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds of CLOCK_MONOTONIC; never goes backwards.
  virtual int64_t now_ns() const = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_CLOCK_H_
