// The table `target_processes`: what each process of the target did while a stage ran. Not
// thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_TABLE_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_TABLE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "plugins/host_metrics/target_usage.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class TargetTable {
 public:
  explicit TargetTable(proc::Root root) : root_(std::move(root)) {}

  // Counts from here.
  void begin(std::span<const ProcessUse> processes, int64_t now_ns);
  // plumb_table.json: the 40 processes that used most processor time. Names of commands and threads
  // are the kernel's short ones.
  std::string json(std::span<const ProcessUse> processes, int64_t now_ns);

 private:
  std::string thread_name(proc::Pid pid, proc::Pid tid);

  proc::Root root_;
  proc::Buffer buffer_;
  std::map<proc::Pid, ProcessUse> base_;
  int64_t begin_ns_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_TABLE_H_
