// How fast the processors run, where the kernel tells. Asking may wake a sleeping processor, so it
// is done rarely. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_CPU_FREQUENCY_H_
#define PLUMB_PLUGINS_HOST_METRICS_CPU_FREQUENCY_H_

#include <optional>
#include <utility>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class CpuFrequency {
 public:
  explicit CpuFrequency(proc::Root root) : root_(std::move(root)) {}

  struct Reading {
    double mean_hertz = 0;
    double least_hertz = 0;
  };
  // Over the processors that tell, at most 64; nothing when none does (most virtual machines).
  std::optional<Reading> read();

 private:
  void find_files();

  proc::Root root_;
  proc::Buffer buffer_;
  std::optional<std::vector<proc::KeptFile>> files_;  // once they were looked for
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_CPU_FREQUENCY_H_
