// One sample of JMeter, however it was written.
#ifndef PLUMB_CORE_IMPORTS_JMETER_SAMPLE_H_
#define PLUMB_CORE_IMPORTS_JMETER_SAMPLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/imports/reader.h"

namespace plumb::imports {

struct JmeterSample {
  int64_t start_ns = 0;
  int64_t elapsed_ns = 0;
  int64_t latency_ns = kUnknown;  // to the first byte, connecting included
  int64_t connect_ns = kUnknown;
  std::string_view label;
  std::string_view code;
  std::string_view message;
  std::string_view failure;
  bool success = true;
  std::optional<double> threads;  // all that are at work
  std::string_view url;
};

// Turns samples into requests and threads. Not thread-safe.
class JmeterSamples {
 public:
  explicit JmeterSamples(Sink& sink) : sink_(sink) {}
  void add(const JmeterSample& sample);
  std::optional<Problem> finish();

 private:
  void tell_threads(int64_t time_ns, double threads);

  Sink& sink_;
  uint64_t samples_ = 0;
  uint64_t transactions_ = 0;
  int64_t threads_told_ns_ = 0;
  bool target_told_ = false;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_JMETER_SAMPLE_H_
