// Notices when somebody sets the clock: what other programs log by the wall clock then no longer
// fits what plumb measured by the monotonic one. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_CLOCK_WATCH_H_
#define PLUMB_PLUGINS_HOST_METRICS_CLOCK_WATCH_H_

#include <cstdint>
#include <functional>
#include <optional>

namespace plumb::host_metrics {

class ClockWatch {
 public:
  // Nanoseconds by which the wall clock is ahead of the monotonic one; absent when the two could
  // not be read at one instant.
  using Offset = std::function<std::optional<int64_t>()>;
  explicit ClockWatch(Offset offset = system_offset) : offset_(std::move(offset)) {}

  // Nanoseconds by which the clock was set (forward is positive) since the look before; absent when
  // it was not. A clock that is slewed, as time daemons do, is not set.
  std::optional<int64_t> look();
  uint64_t steps() const { return steps_; }  // since the first look

  static std::optional<int64_t> system_offset();

 private:
  Offset offset_;
  std::optional<int64_t> last_;
  uint64_t steps_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_CLOCK_WATCH_H_
