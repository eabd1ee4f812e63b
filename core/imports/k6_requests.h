// k6 writes a request as several points, one for each of its metrics. Puts them together again.
#ifndef PLUMB_CORE_IMPORTS_K6_REQUESTS_H_
#define PLUMB_CORE_IMPORTS_K6_REQUESTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/imports/reader.h"

namespace plumb::imports {

struct K6Tags {
  std::string_view name;
  std::string_view url;
  std::string_view method;
  std::string_view status;
  std::string_view error;
  std::string_view error_code;
  std::string_view expected_response;
};

// The points of a request follow each other with the same time and tags. Not thread-safe.
class K6Requests {
 public:
  explicit K6Requests(Sink& sink) : sink_(sink) {}

  // One point of any metric. `value` is finite; milliseconds for times.
  std::optional<Problem> point(std::string_view metric, int64_t time_ns, double value,
                               const K6Tags& tags);
  // Tells of the last request, and what could not be told. A problem when there were no requests.
  std::optional<Problem> finish();

 private:
  static constexpr size_t kMetrics = 9;

  bool continues(size_t metric, int64_t time_ns, const K6Tags& tags) const;
  void begin(int64_t time_ns, const K6Tags& tags);
  void end();
  void other(std::string_view metric, int64_t time_ns, double value);

  Sink& sink_;
  bool open_ = false;
  int64_t time_ns_ = 0;
  std::array<double, kMetrics> values_{};
  std::array<bool, kMetrics> present_{};
  std::string name_, url_, method_, status_, error_, error_code_, expected_;
  uint64_t requests_ = 0;
  uint64_t incomplete_ = 0;
  double dropped_iterations_ = 0;
  bool target_told_ = false;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_K6_REQUESTS_H_
