// The table `processes`: who used the processors while a stage ran. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_PROCESS_TABLE_H_
#define PLUMB_PLUGINS_HOST_METRICS_PROCESS_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "plugins/host_metrics/roles.h"
#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

class ProcessTable {
 public:
  explicit ProcessTable(proc::Root root) : root_(std::move(root)) {}

  // Shares count from here. `list` freshly read in full, here and below.
  void begin(const proc::ProcessList& list, int64_t now_ns);
  bool begun() const { return begun_; }
  // plumb_table.json: the 40 processes with most processor time, the target's always among them.
  // Commands are the kernel's short names: a command line may hold secrets.
  std::string json(const proc::ProcessList& list, const Roles& roles, int64_t now_ns);

 private:
  struct Base {
    uint64_t start_ticks = 0;
    uint64_t cpu_ticks = 0;
    std::optional<uint64_t> runqueue_ns;
  };
  std::optional<uint64_t> runqueue_ns(const proc::Stat& stat);

  proc::Root root_;
  proc::Buffer buffer_;
  std::unordered_map<proc::Pid, Base> base_;
  int64_t begin_ns_ = 0;
  bool begun_ = false;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_PROCESS_TABLE_H_
