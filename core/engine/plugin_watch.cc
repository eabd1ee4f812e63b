#include "core/engine/plugin_watch.h"

#include <algorithm>
#include <cstdio>

namespace plumb::engine {

std::string seconds_text(std::chrono::nanoseconds duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", static_cast<double>(duration.count()) / 1e9);
  return text;
}

void PluginWatch::beat(const std::string& call, int64_t since_ns, int64_t now_ns) {
  last_beat_ns_ = now_ns;
  call_ = call;
  ran_ = std::chrono::nanoseconds(std::max<int64_t>(0, now_ns - since_ns));
}

std::optional<std::chrono::nanoseconds> PluginWatch::limit_of(const std::string& call) const {
  if (call == "collect") return std::max(limits_.collect, kCollectIntervals * interval_);
  if (call == "stage") return limits_.stage;
  return std::nullopt;
}

std::optional<std::string> PluginWatch::hung(int64_t now_ns,
                                             const std::function<bool()>& wants_processor) const {
  const std::chrono::nanoseconds silence(now_ns - last_beat_ns_);
  if (silence > limits_.heartbeat)
    return "its process has been silent for " + seconds_text(silence);
  const auto limit = limit_of(call_);
  if (!limit || ran_ <= *limit) return std::nullopt;
  if (ran_ <= limits_.starved && wants_processor && wants_processor()) return std::nullopt;
  return call_ + " did not return within " + seconds_text(*limit);
}

}  // namespace plumb::engine
