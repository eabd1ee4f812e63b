// What the load process itself costs: processor time, and time runnable without a processor or held
// back by a quota.
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
  // `cgroup` is the directory of its cgroup; found in /proc/self/cgroup by default.
  explicit SelfUsage(std::string task_root = "/proc/self/task", std::string cgroup = own_cgroup())
      : task_root_(std::move(task_root)), cgroup_(std::move(cgroup)) {}
  // Seconds on a processor since the process began, all threads.
  double cpu_seconds() const;
  // Seconds runnable and waiting for a processor, all threads, those that have ended included as
  // far as they were seen; empty where the kernel keeps no schedstat. Never falls.
  std::optional<double> runqueue_seconds();
  // Seconds that the processor quota of its cgroup, or of one above it, held threads back since
  // that cgroup was made; empty without a quota.
  std::optional<double> throttled_seconds() const;

 private:
  static std::string own_cgroup();

  std::string task_root_;
  std::string cgroup_;
  std::map<std::string, uint64_t> waited_ns_;  // by thread, as last read
  uint64_t total_ns_ = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SELF_USAGE_H_
