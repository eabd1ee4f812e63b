// Decides when a plugin process has hung, from its heartbeats. Not thread-safe. Takes the time
// from the caller.
#ifndef PLUMB_CORE_ENGINE_PLUGIN_WATCH_H_
#define PLUMB_CORE_ENGINE_PLUGIN_WATCH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace plumb::engine {

struct WatchLimits {
  // Longest silence: ten heartbeats. Processes that compete for a starved machine's processors may
  // each wait for seconds, and a healthy one must not end for it; one that died is known at once.
  std::chrono::nanoseconds heartbeat = std::chrono::seconds(10);
  // A collect may take the longer of this and kCollectIntervals intervals.
  std::chrono::nanoseconds collect = std::chrono::seconds(2);
  std::chrono::nanoseconds stage = std::chrono::seconds(10);
  // And as long as this while its process wants a processor and does not get one.
  std::chrono::nanoseconds starved = std::chrono::seconds(10);
};

class PluginWatch {
 public:
  static constexpr int kCollectIntervals = 5;

  PluginWatch(WatchLimits limits, int64_t now_ns) : limits_(limits), last_beat_ns_(now_ns) {}

  void set_interval(std::chrono::nanoseconds interval) { interval_ = interval; }
  // A heartbeat came at `now_ns`, saying that the plugin is in `call` since then; empty: in none.
  void beat(const std::string& call, int64_t since_ns, int64_t now_ns);

  // Why the plugin counts as hung, or nothing. Calls that answer a request (start, drive, stop) are
  // not judged here: who asked waits with a deadline. `wants_processor` says whether the process is
  // runnable; it is asked only where a call has taken too long.
  std::optional<std::string> hung(int64_t now_ns,
                                  const std::function<bool()>& wants_processor = {}) const;

 private:
  std::optional<std::chrono::nanoseconds> limit_of(const std::string& call) const;

  WatchLimits limits_;
  std::chrono::nanoseconds interval_{0};
  int64_t last_beat_ns_;
  std::string call_;
  // How long the call had run when the heartbeat came. Not how long until now: it may have
  // returned since.
  std::chrono::nanoseconds ran_{0};
};

// "2.5 s".
std::string seconds_text(std::chrono::nanoseconds duration);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_PLUGIN_WATCH_H_
