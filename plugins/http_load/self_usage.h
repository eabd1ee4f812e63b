// What the load process itself costs: processor time, and time runnable without a processor.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SELF_USAGE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SELF_USAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace plumb::http_load {

// Not thread-safe.
class SelfUsage {
 public:
  // `task_root` holds one directory per thread, as /proc/self/task does.
  explicit SelfUsage(std::string task_root = "/proc/self/task")
      : task_root_(std::move(task_root)) {}
  // Seconds on a processor since the process began, all threads.
  double cpu_seconds() const;
  // Seconds runnable and waiting for a processor, all threads, those that have ended included as
  // far as they were seen; empty where the kernel keeps no schedstat. Never falls.
  std::optional<double> runqueue_seconds();

 private:
  std::string task_root_;
  std::map<std::string, uint64_t> waited_ns_;  // by thread, as last read
  uint64_t total_ns_ = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SELF_USAGE_H_
