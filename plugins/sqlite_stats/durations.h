// Spans of time in nanoseconds, as signals are stamped.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_DURATIONS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_DURATIONS_H_

#include <cstdint>

namespace plumb::sqlite_stats {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMillisecond;

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_DURATIONS_H_
