// A plumb_host for tests of plugins: it keeps what a plugin emits, and each signal that the real
// host would not take, or that no plugin of this project should send (a series declared twice, a
// counter that falls, two samples of a series at one instant), fails the test. Its clock is the
// machine's, or one that the test sets. Not thread-safe.
#ifndef PLUMB_TESTS_SUPPORT_RECORDING_HOST_H_
#define PLUMB_TESTS_SUPPORT_RECORDING_HOST_H_

#include <plumb/abi/plugin.h>
#include <plumb/abi/rest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/histogram.hpp>
#include <string>
#include <vector>

#include "core/host/signal_check.h"

namespace plumb::test_support {

class RecordingHost {
 public:
  struct Point {
    int64_t time_ns;
    double value;
  };
  struct Record {
    int64_t start_ns;
    int64_t end_ns;
    Histogram histogram;
  };

  RecordingHost();
  RecordingHost(const RecordingHost&) = delete;
  RecordingHost& operator=(const RecordingHost&) = delete;

  const plumb_host* get() const { return &host_; }

  // By "name" or "name{label=value,...}", labels sorted.
  const std::vector<Point>& series(const std::string& key) const;
  std::optional<double> last(const std::string& key) const;
  // The growth of a counter over all that was emitted.
  std::optional<double> growth(const std::string& key) const;
  // All records of a histogram, merged.
  Histogram merged(const std::string& key) const;
  const SeriesInfo* info(const std::string& key) const;

  std::map<std::string, std::vector<Point>> points;
  std::map<std::string, std::vector<Record>> histograms;
  std::map<std::string, SeriesInfo> infos;
  std::vector<std::string> events;  // "kind: message"
  std::map<std::string, nlohmann::json> tables;
  uint32_t health = PLUMB_HEALTH_OK;
  std::string health_message;
  std::optional<int64_t> fake_now;
  int64_t rests_until = 0;  // as the plugin last asked

 private:
  int64_t now() const;
  int32_t declare(const plumb_series& series, uint32_t& id);
  int32_t add(const plumb_sample* samples, size_t count);
  int32_t add(const plumb_histogram& histogram);

  plumb_host host_{};
  plumb_rest_host rest_{};
  host::SignalCheck check_{0};
  std::map<uint32_t, std::string> keys_;
};

}  // namespace plumb::test_support

#endif  // PLUMB_TESTS_SUPPORT_RECORDING_HOST_H_
