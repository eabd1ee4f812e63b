// For tests: drives a plugin through its C table with a host that records what it is given.
#ifndef PLUMB_PLUGINS_PG_STATS_PLUGIN_RECORDER_H_
#define PLUMB_PLUGINS_PG_STATS_PLUGIN_RECORDER_H_

#include <plumb/abi/plugin.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb::pg_stats {

// One instance of a plugin and everything that it said. The host's clock is the monotonic one,
// put forward by what advance() was given. Calls are not checked for their order.
class PluginRecorder {
 public:
  explicit PluginRecorder(const plumb_plugin* plugin);
  ~PluginRecorder();
  PluginRecorder(const PluginRecorder&) = delete;
  PluginRecorder& operator=(const PluginRecorder&) = delete;

  // Each returns the code; error() is the message of the last failure.
  int32_t configure(const std::map<std::string, std::string>& strings,
                    const std::map<std::string, double>& numbers = {});
  int32_t start();
  int32_t collect();
  int32_t stage(uint32_t kind);  // begins now
  int32_t stop();
  void interrupt() { plugin_->interrupt(self_); }
  const std::string& error() const { return error_; }

  void advance(int64_t ns) { offset_ns_ += ns; }
  // From now on only advance() moves the clock.
  void freeze() { frozen_ns_ = now_ns() - offset_ns_; }
  int64_t now_ns() const;

  struct Sample {
    int64_t time_ns;
    double value;
  };
  // A series is written "name{label=value,...}", its labels in their order of declaration.
  std::map<std::string, std::vector<Sample>> samples;
  std::map<std::string, nlohmann::json> tables;
  std::vector<std::pair<std::string, std::string>> events;  // kind, message
  std::vector<std::pair<uint32_t, std::string>> health;
  std::vector<std::string> logs;

  // The last value, or NaN.
  double last(const std::string& series) const;
  // Names of the series that begin with `prefix`.
  std::vector<std::string> series_with(const std::string& prefix) const;

 private:
  int32_t done(int32_t code);

  const plumb_plugin* plugin_;
  plumb_host host_{};
  void* self_ = nullptr;
  plumb_error failure_{};
  std::string error_;
  int64_t offset_ns_ = 0;
  int64_t frozen_ns_ = 0;           // 0: the clock runs
  std::vector<std::string> names_;  // by id
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PLUGIN_RECORDER_H_
